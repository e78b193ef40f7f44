"""Orders, the application of examples/orders, as a CDK application of one stack.

    pip install -r requirements.txt
    cdk synth        (or: python app.py)
    shipsafe check .
"""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

PYTHON = lambda_.Runtime.PYTHON_3_13
POWERTOOLS = "arn:aws:lambda:eu-west-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-arm64:18"


class Orders(cdk.Stack):
    """Three functions and the layer that two of them share."""

    def __init__(self, scope: Construct, name: str, *, stage: str) -> None:
        super().__init__(scope, name, env=cdk.Environment(region="eu-west-1"))
        shared = lambda_.LayerVersion(
            self,
            "Shared",
            code=lambda_.Code.from_asset("layers/shared"),
            compatible_runtimes=[PYTHON],
            compatible_architectures=[lambda_.Architecture.ARM_64],
        )
        powertools = lambda_.LayerVersion.from_layer_version_arn(self, "Powertools", POWERTOOLS)
        self._function("CreateOrder", "src/create_order", "app.handler", stage, layers=[shared, powertools])
        self._function("ExportReport", "src/export_report", "report.handler", stage, layers=[shared])
        self._function("Notify", "src/notify", "notify.handler", stage, architecture=lambda_.Architecture.X86_64)

    def _function(
        self,
        name: str,
        code: str,
        handler: str,
        stage: str,
        *,
        layers: list[lambda_.ILayerVersion] | None = None,
        architecture: lambda_.Architecture = lambda_.Architecture.ARM_64,
    ) -> None:
        lambda_.Function(
            self,
            name,
            code=lambda_.Code.from_asset(code),
            handler=handler,
            runtime=PYTHON,
            architecture=architecture,
            layers=layers,
            timeout=cdk.Duration.seconds(10),
            memory_size=256,
            environment={"STAGE": stage, "TABLE": f"orders-{stage}"},
        )


app = cdk.App()
Orders(app, "Orders", stage="dev")
app.synth()
