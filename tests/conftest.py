import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from django.contrib.auth.models import User
from django.db import connection
from moto.server import ThreadedMotoServer
from rest_framework.test import APIClient

from renders.models import WebhookDelivery
from renders.remotion import info
from renders.sandbox.aws import Sandbox
from renders.sandbox.network import bypass_proxies_for_loopback
from renders.sandbox.toolchain import Toolchain, prepare
from tests.factories import BUCKET, make_render
from tests.recorded import recorded_answer
from tests.s3 import last_progress, store
from tests.servers import INVOKE, Answer, ScriptedServer, reply, s3_error
from tests.webhooks import SECRET, about, deliver

CREDENTIALS = {
    "REMOTION_AWS_ACCESS_KEY_ID": "AKIATEST",
    "REMOTION_AWS_SECRET_ACCESS_KEY": "not-a-secret",
    "REMOTION_AWS_SESSION_TOKEN": "",
    "AWS_ACCESS_KEY_ID": "",
    "AWS_SECRET_ACCESS_KEY": "",
    "AWS_SESSION_TOKEN": "",
    "REMOTION_USE_DEFAULT_CREDENTIALS": False,
    "AWS_ENDPOINT_URL_S3": "",
    "AWS_ENDPOINT_URL_LAMBDA": "",
    "REMOTION_REGION": "us-east-1",
    "REMOTION_RAM": 3009,
    "REMOTION_DISK": 10240,
    "REMOTION_TIMEOUT": 240,
    "REMOTION_FUNCTION_NAME": "",
    "REMOTION_SITE_NAME": "renderhub",
    "REMOTION_SERVE_URL": "",
    "REMOTION_COMPOSITION": "DynamicComp",
    "REMOTION_BUCKET_NAME": BUCKET,
    "REMOTION_PRIVACY": "private",
    "REMOTION_MAX_CODE_LENGTH": 200_000,
    "REMOTION_START_TIMEOUT": 60,
    "REMOTION_CONCURRENCY": 200,
    "REMOTION_STALL_SECONDS": 120,
    "REMOTION_WEBHOOK_URL": "",
    "REMOTION_WEBHOOK_SECRET": "",
    "REMOTION_LICENSE_KEY": "",
    "REMOTION_IS_PRODUCTION": True,
    "API_ALLOW_ANONYMOUS": False,
    "LAMBDA_API_ENVELOPE": "none",
    "API_RATE_CREATE": "",
    "API_RATE_READ": "",
    "API_RATE_WEBHOOK": "",
    "WEBHOOK_SIGNING_KEY": "a-key-of-the-tests",
    "WEBHOOK_ALLOW_PRIVATE": True,
    "ALLOWED_HOSTS": ["testserver", "127.0.0.1"],
    "SECURE_SSL_REDIRECT": False,
}


@pytest.fixture(autouse=True)
def set_up_settings(settings: Any) -> None:
    """What the machine's own environment or .env says is none of the tests' business."""
    for name, value in CREDENTIALS.items():
        setattr(settings, name, value)


@pytest.fixture(autouse=True)
def forget_versions() -> None:
    """What a function has said its version is holds for a process; here for a test."""
    info._asked.clear()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite as it runs in production, in a file: in memory, threads would share one cache.

    On PostgreSQL each process of pytest-xdist has a database of its own.
    """
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(scope="session")
def scripted_server() -> Iterator[ScriptedServer]:
    bypass_proxies_for_loopback()
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def aws(scripted_server: ScriptedServer, settings: Any) -> ScriptedServer:
    """Lambda and S3 as a scripted server; a start is answered with the render ``abc123``."""
    scripted_server.requests.clear()
    scripted_server.headers.clear()
    scripted_server.answers = {INVOKE: reply({"type": "success", "renderId": "abc123", "bucketName": BUCKET})}
    settings.AWS_ENDPOINT_URL_S3 = settings.AWS_ENDPOINT_URL_LAMBDA = scripted_server.url
    return scripted_server


@pytest.fixture
def numbered(aws: ScriptedServer) -> ScriptedServer:
    """Each start is another render."""
    count = iter(range(1, 10_000))
    lock = threading.Lock()

    def answer() -> Answer:
        with lock:
            return reply({"type": "success", "renderId": f"r{next(count)}", "bucketName": BUCKET})

    aws.answers[INVOKE] = answer
    return aws


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """moto's S3 as a server: obstore speaks to it as boto3 does."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def s3_client(s3_server: str) -> Any:
    """boto3's client; making one for each test costs more than most tests."""
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
    return session.client("s3", endpoint_url=s3_server)


@pytest.fixture
def bucket(s3_server: str, s3_client: Any, settings: Any) -> Any:
    """A boto3 client of an S3 with an empty bucket, which the settings point at."""
    settings.AWS_ENDPOINT_URL_S3 = s3_server
    urllib.request.urlopen(urllib.request.Request(f"{s3_server}/moto-api/reset", method="POST")).close()  # noqa: S310
    s3_client.create_bucket(Bucket=BUCKET)
    return s3_client


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("ada")


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser("grace")


@pytest.fixture
def api(user: User) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    return client


@pytest.fixture
def webhook_secret(settings: Any) -> None:
    settings.REMOTION_WEBHOOK_SECRET = SECRET


@pytest.fixture
def failed(aws: ScriptedServer, webhook_secret: None) -> WebhookDelivery:
    """A delivery that came while S3 was down; S3 is up again."""
    render = make_render(render_id="abc123", bucket_name=BUCKET)
    path = store(aws, answer=s3_error(503, "SlowDown"))
    delivery = deliver(about(render))
    aws.answers[path] = last_progress()
    return delivery


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return prepare(lambda text: None)


@pytest.fixture(scope="session")
def running_sandbox(toolchain: Toolchain) -> Iterator[Sandbox]:
    with Sandbox(toolchain) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: Sandbox, settings: Any) -> Sandbox:
    """Remotion's real function, with the settings pointing at it."""
    for name, value in running_sandbox.settings().items():
        setattr(settings, name, value)
    settings.API_ALLOW_ANONYMOUS = True
    return running_sandbox


@pytest.fixture
def still_answer(aws: ScriptedServer) -> None:
    """The function answers as it does to a still that it has rendered."""
    aws.answers[INVOKE] = recorded_answer("still-png")
