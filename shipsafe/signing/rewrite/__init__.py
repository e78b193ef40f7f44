"""What `sign` made, written into what deploys it: templates, cloud assemblies, variables of Terraform, and SAM's settings.

Everything here works on text and gives text; nothing reads or writes a file. A template is never printed anew: its text is cut and
pasted at the places that change, and read again to see that nothing else did (docs/adr/0031-cut-and-paste.md).
"""
