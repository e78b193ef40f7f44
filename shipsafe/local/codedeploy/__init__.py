"""The local CodeDeploy, for Lambda alone: it shifts an alias over its own time, watches alarms and takes the shift back."""
