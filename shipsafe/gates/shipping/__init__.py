"""What can go wrong in workflows with what they ship: rules of ours for the gate `workflows`, beside those of zizmor."""
