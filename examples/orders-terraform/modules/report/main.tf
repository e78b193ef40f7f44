# The function that writes the daily report, as a module of its own.

variable "stage" {
  type = string
}

variable "role" {
  type = string
}

variable "layers" {
  type = list(string)
}

data "archive_file" "code" {
  type        = "zip"
  source_dir  = "${path.root}/src/export_report"
  output_path = "${path.root}/.build/export_report.zip"
}

resource "aws_lambda_function" "this" {
  function_name    = "orders-report-${var.stage}"
  role             = var.role
  runtime          = "python3.13"
  handler          = "report.handler"
  architectures    = ["arm64"]
  layers           = var.layers
  filename         = data.archive_file.code.output_path
  source_code_hash = data.archive_file.code.output_base64sha256
  timeout          = 10
  memory_size      = 256

  environment {
    variables = { STAGE = var.stage, TABLE = "orders-${var.stage}" }
  }
}
