"""A session with the client that openapi-generator generates, on PYTHONPATH as `openapi_client`."""
import datetime
import os
import sys
import time

import openapi_client as slipway

base, repository = sys.argv[1:]
url, token = os.environ["SLIPWAY_API"], os.environ["SLIPWAY_TOKEN"]
picture = open(os.environ["PICTURE"], "rb").read()
client = slipway.ApiClient(slipway.Configuration(host=url, access_token=token))
images, builds = slipway.ImagesApi(client), slipway.BuildsApi(client)
experiments, registries = slipway.ExperimentsApi(client), slipway.RegistriesApi(client)

assert slipway.MembersApi(client).get_me().role is slipway.Role.ADMIN
found = registries.list_registries(type=slipway.RegistryType.SLIPWAY).items
private = next(one for one in found if one.id == "reg_private")
assert isinstance(private.created_at, datetime.datetime), private
settings = slipway.OrganisationApi(client).get_settings()
assert isinstance(settings.launch_gate, slipway.LaunchGate), settings

linted = slipway.DockerfilesApi(client).lint_dockerfile(slipway.LintDockerfile(dockerfile="FROM python\n"))
assert [one.line for one in linted.warnings] == [1], linted

source = slipway.BuildSource(
    type="build",
    dockerfile="ARG BASE\nFROM ${BASE}\nLABEL by=openapi-generator\n",
    buildArgs={"BASE": base},
)
asked = slipway.NewImage(source=slipway.NewImageSource(source), repository=repository, tag="v1")
image = images.create_image(asked)
build = image.current_build.id
end = time.monotonic() + 300
while image.status is slipway.ImageStatus.PENDING and time.monotonic() < end:
    time.sleep(0.3)
    image = images.get_image(image.id)
assert image.status is slipway.ImageStatus.READY, image
assert builds.get_build(build).finished_at >= image.created_at
assert builds.get_build_logs(build, limit=1000).items
listed = images.list_images(sort=slipway.ImageSort.CREATEDAT, repository=repository)
assert [one.id for one in listed.items] == [image.id], listed

assert images.put_image_logo(image.id, picture).id == image.id
assert images.get_image_logo(image.id) == picture

asked = slipway.NewExperiment(image=f"{repository}:v1", command=["true"])
experiment = experiments.create_experiment(asked, start=False)
assert experiment.status is slipway.ExperimentStatus.CREATED, experiment
changed = experiments.update_experiment(experiment.id, slipway.ExperimentChange(tags=["generated"]))
assert changed.tags == ["generated"] and changed.name == experiment.name, changed
experiments.delete_experiment(experiment.id)
try:
    experiments.get_experiment(experiment.id)
    raise AssertionError("the experiment is still there")
except slipway.exceptions.NotFoundException as error:
    assert error.data.type == "urn:slipway:problem:not-found", error

stranger = slipway.ApiClient(slipway.Configuration(host=url, access_token="slp_wrong"))
try:
    slipway.MembersApi(stranger).get_me()
    raise AssertionError("a stranger was let in")
except slipway.exceptions.ForbiddenException as error:
    assert error.data.actual_instance.message == "Forbidden", error
