"""The chain from what was audited to what runs, walked link by link: offline over files, or live over what AWS says."""
