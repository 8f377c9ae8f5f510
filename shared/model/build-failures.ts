/** Why a build failed: stable codes, with the likely cause and the way on, which mails and answers tell. */

export interface Explanation {
  cause: string;
  /** `{image}` and `{registry}` are their ids; `{again}` is how a job of its kind is asked for once more. */
  retry: string;
  /** In its place where `{account}`, a registry, has credentials that were refused. */
  retryWithAccount?: string;
}

const changeCredentials =
  'Check the name of the image, or change the credentials of its registry (PATCH /v1/registries/{account}), then {again}.';

const again = '{again}.';

export const buildFailures = {
  'dockerfile-invalid': {
    cause: 'The Dockerfile could not be parsed.',
    retry: 'Correct the line that is named and send the Dockerfile with POST /v1/images/{image}/builds.',
  },
  'step-failed': {
    cause: 'A command of the Dockerfile ended with an exit code other than 0; its last lines say why.',
    retry:
      'Correct the step and send the Dockerfile with POST /v1/images/{image}/builds; the steps before it are cached.',
  },
  'base-image-not-found': {
    cause: 'An image that the Dockerfile builds on does not exist under that name and tag.',
    retry:
      'Check the spelling in FROM, COPY --from and --mount=from, then send the Dockerfile with POST /v1/images/{image}/builds.',
  },
  'base-image-unauthorized': {
    cause: 'The registry of a base image wants other credentials, or hides that the image does not exist.',
    retry: 'Connect the registry with a username and password (POST /v1/registries), then {again}.',
    retryWithAccount: changeCredentials,
  },
  'base-image-unavailable': {
    cause: 'The registry of a base image could not be reached.',
    retry: again,
  },
  'base-image-unreadable': {
    cause:
      'The engine cannot unpack a layer of a base image: the layer is damaged, or compressed in a way that the engine does not know (zstd needs Docker 23 or later).',
    retry: 'Build on another tag of the image, or push it again with gzip layers, then {again}.',
  },
  'base-failed': {
    cause: 'An image of the same family that it builds on was not built.',
    retry: 'Correct that image, then send the family again: what is built already is not built twice.',
  },
  'push-refused': {
    cause:
      'The registry took the credentials but refused the image, for example because its tags are immutable or its quota is used up.',
    retry: 'Choose another tag or make room in the registry, then {again}.',
  },
  'push-unauthorized': {
    cause: 'The stored credentials may not push to this repository, or none are stored.',
    retry: 'Update the credentials of the registry (PATCH /v1/registries/{registry}), then {again}.',
  },
  'source-not-found': {
    cause: 'The image, or a part of it, is not in its registry any more, or not for that platform.',
    retry: 'Check the image in its registry, then {again}.',
  },
  'source-unauthorized': {
    cause: 'The registry of the image wants other credentials, or hides that the image does not exist.',
    retry: 'Connect the registry with a username and password (POST /v1/registries), then {again}.',
    retryWithAccount: changeCredentials,
  },
  'source-unavailable': {
    cause: 'The registry of the image could not be reached, or did not answer as a registry does.',
    retry: 'Wait a little, then {again}.',
  },
  'source-changed': {
    cause: 'While it was copied, the tag of the image was moved to another one.',
    retry: '{again}: the image that the tag names then is copied.',
  },
  'source-unsupported': {
    cause:
      'The image is of a form that cannot be copied byte by byte, such as Docker schema 1, or has a layer that the engine cannot unpack.',
    retry: 'Build the image again with a current tool.',
  },
  'target-exists': {
    cause: 'The tag is there already in the target registry.',
    retry: 'Choose another tag, or ask with "force": true to have it moved.',
  },
  'target-unavailable': {
    cause: 'The target registry could not be reached, or did not answer as a registry does.',
    retry:
      'See why (POST /v1/registries/{registry}/check), then {again}: what is copied or cached is not done twice.',
  },
  'context-missing': {
    cause: 'The uploaded context is not there, or is not the archive it was declared to be.',
    retry: 'Upload the context again (POST /v1/uploads) and name it in POST /v1/images/{image}/builds.',
  },
  'context-invalid': {
    cause:
      'The uploaded context is no whole tar, tar.gz or zip archive, or holds what no context may: paths outside of itself, devices, encrypted files.',
    retry:
      'Pack the context again, upload it (POST /v1/uploads) and name it in POST /v1/images/{image}/builds.',
  },
  'context-too-large': {
    cause: 'The uploaded context unpacks to more than a builder takes.',
    retry: 'Leave out what the build does not copy, upload the rest (POST /v1/uploads), then {again}.',
  },
  'file-missing': {
    cause: 'COPY or ADD names a file that the context does not have (or that .dockerignore leaves out).',
    retry: 'Upload a context with the file (POST /v1/uploads), then {again}.',
  },
  'download-failed': {
    cause: 'The builder could not fetch an address that ADD names.',
    retry:
      'Check the address, or put the file into the context; then send the Dockerfile with POST /v1/images/{image}/builds.',
  },
  'registry-untrusted': {
    cause: 'A registry shows no certificate that can be trusted.',
    retry:
      "An operator names the authority that signed it in the stage's privateCertificateAuthorities; then {again}. Where builds run on somebody's own machine, its container engine needs that certificate too, as /etc/docker/certs.d/<host>/ca.crt: Slipway changes nothing there.",
  },
  'secret-missing': {
    cause: 'A secret that the build asks for does not exist, may not be read, or is not named for the build.',
    retry: 'Store it (PUT /v1/secrets/<name>), name it under the id of its mount in `secrets`, then {again}.',
  },
  'disk-full': {
    cause: 'The build used up the disk of its host.',
    retry: 'Make the image smaller, or name a larger compute, then {again}.',
  },
  'rate-limited': {
    cause: 'A registry takes no more requests for now.',
    retry: 'Wait, or connect that registry with an account of your own; then {again}.',
  },
  'out-of-memory': {
    cause: 'A step used more memory than the host has.',
    retry: 'Name a larger compute, then {again}.',
  },
  'timed-out': {
    cause: 'It took longer than the deployment allows.',
    retry: 'Make the slow step cheaper or name a larger compute, then {again}.',
  },
  'builder-failed': {
    cause: 'The builder itself failed; the Dockerfile is not known to be at fault.',
    retry: again,
  },
  'builder-lost': {
    cause: 'Nothing is known any more of the machine that built.',
    retry: again,
  },
  'compute-unavailable': {
    cause: 'The deployment has none of the computes any more that the build was to run on.',
    retry: '{again}, and name computes of GET /v1/computes.',
  },
  'queue-timeout': {
    cause: 'Within the time that builds may wait, other builds held every place or machine.',
    retry: again,
  },
  'start-refused': {
    cause: 'AWS refused to start the build.',
    retry: again,
  },
} as const satisfies Record<string, Explanation>;

export type BuildFailureCode = keyof typeof buildFailures;
