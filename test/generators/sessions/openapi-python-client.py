"""A session with the client that openapi-python-client generates, on PYTHONPATH as `slipway_client`."""
import datetime
import io
import os
import sys
import time

from slipway_client import AuthenticatedClient
from slipway_client.api.builds import get_build, get_build_logs
from slipway_client.api.dockerfiles import lint_dockerfile
from slipway_client.api.experiments import create_experiment, delete_experiment, get_experiment, update_experiment
from slipway_client.api.images import create_image, get_image, get_image_logo, list_images, put_image_logo
from slipway_client.api.members import get_me
from slipway_client.api.organisation import get_settings
from slipway_client.api.registries import list_registries
from slipway_client.models import (
    BuildArgs,
    BuildSource,
    Experiment,
    ExperimentChange,
    ExperimentStatus,
    GatewayError,
    Image,
    ImageSort,
    ImageStatus,
    LintDockerfile,
    LogPage,
    NewExperiment,
    NewImage,
    Problem,
    ProblemType,
    RegistryType,
    Role,
    Settings,
)
from slipway_client.types import File

base, repository = sys.argv[1:]
url, token = os.environ["SLIPWAY_API"], os.environ["SLIPWAY_TOKEN"]
client = AuthenticatedClient(base_url=url, token=token, timeout=60, raise_on_unexpected_status=True)
png = open(os.environ["PICTURE"], "rb").read()

me = get_me.sync(client=client)
assert me.role is Role.ADMIN, me
registries = list_registries.sync(client=client, type_=RegistryType.SLIPWAY)
private = next(one for one in registries.items if one.id == "reg_private")
assert isinstance(private.created_at, datetime.datetime), private
assert isinstance(get_settings.sync(client=client), Settings)

findings = lint_dockerfile.sync(client=client, body=LintDockerfile(dockerfile="FROM python\n"))
assert [one.line for one in findings.warnings] == [1], findings

args = BuildArgs.from_dict({"BASE": base})
source = BuildSource(type_="build", dockerfile="ARG BASE\nFROM ${BASE}\nLABEL by=openapi-python-client\n", build_args=args)
image = create_image.sync(client=client, body=NewImage(source=source, repository=repository, tag="v1"))
assert isinstance(image, Image) and image.current_build, image
build = image.current_build.id
end = time.monotonic() + 300
while image.status is ImageStatus.PENDING and time.monotonic() < end:
    time.sleep(0.3)
    image = get_image.sync(image.id, client=client)
assert image.status is ImageStatus.READY, image
assert get_build.sync(build, client=client).finished_at >= image.created_at
page = get_build_logs.sync(build, client=client, limit=1000)
assert isinstance(page, LogPage) and page.items, page
listed = list_images.sync(client=client, sort=ImageSort.CREATEDAT, repository=repository)
assert [one.id for one in listed.items] == [image.id], listed

pictured = put_image_logo.sync(image.id, client=client, body=File(payload=io.BytesIO(png)))
assert isinstance(pictured, Image), pictured
assert get_image_logo.sync(image.id, client=client).payload.read() == png

asked = NewExperiment(image=f"{repository}:v1", command=["true"])
experiment = create_experiment.sync(client=client, body=asked, start=False)
assert isinstance(experiment, Experiment) and experiment.status is ExperimentStatus.CREATED, experiment
changed = update_experiment.sync(experiment.id, client=client, body=ExperimentChange(tags=["generated"]))
assert changed.tags == ["generated"] and changed.name == experiment.name, changed
assert delete_experiment.sync_detailed(experiment.id, client=client).status_code == 204
gone = get_experiment.sync(experiment.id, client=client)
assert isinstance(gone, Problem) and gone.type_ is ProblemType.URNSLIPWAYPROBLEMNOT_FOUND, gone

stranger = AuthenticatedClient(base_url=url, token="slp_wrong")
assert isinstance(get_me.sync(client=stranger), GatewayError)
