# Orders, the application of examples/orders, for Terraform.
#
#   terraform plan -out=tfplan && terraform show -json tfplan > plan.json
#   shipsafe check .

terraform {
  required_providers {
    archive = { source = "hashicorp/archive", version = "~> 2.7" }
    aws     = { source = "hashicorp/aws", version = "~> 6.0" }
  }
}

variable "stage" {
  type    = string
  default = "dev"
}

variable "region" {
  type    = string
  default = "eu-west-1"
}

provider "aws" {
  region = var.region
}

data "archive_file" "shared" {
  type        = "zip"
  source_dir  = "${path.module}/layers/shared"
  output_path = "${path.module}/.build/shared.zip"
}

resource "aws_lambda_layer_version" "shared" {
  layer_name               = "orders-shared-${var.stage}"
  filename                 = data.archive_file.shared.output_path
  source_code_hash         = data.archive_file.shared.output_base64sha256
  compatible_runtimes      = ["python3.13"]
  compatible_architectures = ["arm64"]
}

data "archive_file" "create_order" {
  type        = "zip"
  source_dir  = "${path.module}/src/create_order"
  output_path = "${path.module}/.build/create_order.zip"
}

resource "aws_lambda_function" "create_order" {
  function_name    = "orders-create-${var.stage}"
  role             = aws_iam_role.orders.arn
  runtime          = "python3.13"
  handler          = "app.handler"
  architectures    = ["arm64"]
  filename         = data.archive_file.create_order.output_path
  source_code_hash = data.archive_file.create_order.output_base64sha256
  timeout          = 10
  memory_size      = 256

  layers = [
    aws_lambda_layer_version.shared.arn,
    "arn:aws:lambda:${var.region}:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-arm64:18",
  ]

  environment {
    variables = { STAGE = var.stage, TABLE = "orders-${var.stage}" }
  }
}

module "export_report" {
  source = "./modules/report"

  stage  = var.stage
  role   = aws_iam_role.orders.arn
  layers = [aws_lambda_layer_version.shared.arn]
}

data "archive_file" "notify" {
  type        = "zip"
  source_dir  = "${path.module}/src/notify"
  output_path = "${path.module}/.build/notify.zip"
}

# Without `architectures` Lambda takes x86_64.
resource "aws_lambda_function" "notify" {
  for_each = toset(["notify"])

  function_name    = "orders-${each.key}-${var.stage}"
  role             = aws_iam_role.orders.arn
  runtime          = "python3.13"
  handler          = "notify.handler"
  filename         = data.archive_file.notify.output_path
  source_code_hash = data.archive_file.notify.output_base64sha256
  timeout          = 10
  memory_size      = 256

  environment {
    variables = { STAGE = var.stage, TABLE = "orders-${var.stage}" }
  }
}

resource "aws_iam_role" "orders" {
  name = "orders-${var.stage}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}
