/** Why a build failed: stable codes, with the likely cause and the remedy, which mails and answers tell. */

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
    cause: 'BuildKit could not parse the Dockerfile.',
    retry:
      'Correct the line that the message names, then send the Dockerfile with POST /v1/images/{image}/builds.',
  },
  'step-failed': {
    cause: 'A command of the Dockerfile failed. Its last lines say why.',
    retry:
      'Correct the step, then send the Dockerfile with POST /v1/images/{image}/builds. The steps before it are cached.',
  },
  'base-image-not-found': {
    cause: 'The registry has no base image of that name and tag.',
    retry:
      'Check the spelling in FROM, COPY --from and --mount=from, then send the Dockerfile with POST /v1/images/{image}/builds.',
  },
  'base-image-unauthorized': {
    cause: 'The registry of a base image requires other credentials, or the image does not exist.',
    retry: 'Connect the registry with a username and password (POST /v1/registries), then {again}.',
    retryWithAccount: changeCredentials,
  },
  'base-image-unavailable': {
    cause: 'Slipway could not reach the registry of a base image.',
    retry: again,
  },
  'base-image-unreadable': {
    cause:
      'The engine cannot unpack a layer of a base image: the layer is damaged, or compressed in a way that the engine does not know (zstd needs Docker 23 or later).',
    retry: 'Build on another tag of the image, or push it again with gzip layers, then {again}.',
  },
  'base-image-unexpected': {
    cause:
      'The engine asked for an image that the Dockerfile does not name, so Slipway could not look it up. An ONBUILD instruction of a base image does that, or a program other than docker/dockerfile in # syntax=.',
    retry:
      'Write what the ONBUILD instruction does into the Dockerfile, on a base image without it, then send it with POST /v1/images/{image}/builds.',
  },
  'base-failed': {
    cause: 'The build of a base image in the same family failed.',
    retry:
      'Correct that image, then send the family again. Images that are already built are not built twice.',
  },
  'push-refused': {
    cause:
      'The registry accepted the credentials but refused the image, for example because its tags are immutable or its quota is used up.',
    retry: 'Choose another tag or free space in the registry, then {again}.',
  },
  'push-unauthorized': {
    cause: "The registry has no stored credentials, or they don't allow a push to this repository.",
    retry: 'Update the credentials of the registry (PATCH /v1/registries/{registry}), then {again}.',
  },
  'source-not-found': {
    cause: 'The registry no longer has the image or a part of it, or has it for other platforms only.',
    retry: 'Check the image in its registry, then {again}.',
  },
  'source-unauthorized': {
    cause: 'The registry of the image requires other credentials, or the image does not exist.',
    retry: 'Connect the registry with a username and password (POST /v1/registries), then {again}.',
    retryWithAccount: changeCredentials,
  },
  'source-unavailable': {
    cause: 'Slipway could not reach the registry of the image, or got an answer that no registry gives.',
    retry: 'Wait a few minutes, then {again}.',
  },
  'source-changed': {
    cause: 'The tag moved to another image during the copy.',
    retry: '{again}. Slipway copies the image that the tag names then.',
  },
  'source-unsupported': {
    cause:
      "The image has a format that can't be copied byte by byte, such as Docker schema 1, or a layer that the engine can't unpack.",
    retry: 'Build the image again with a current tool.',
  },
  'target-exists': {
    cause: 'The tag already exists in the target registry.',
    retry: 'Choose another tag, or set "force": true to move this one.',
  },
  'target-unavailable': {
    cause: 'Slipway could not reach the target registry, or got an answer that no registry gives.',
    retry:
      'Find the cause with POST /v1/registries/{registry}/check, then {again}. Steps and layers that are done are not repeated.',
  },
  'context-missing': {
    cause: 'The uploaded context is missing, or differs from what was declared.',
    retry: 'Upload the context again (POST /v1/uploads), then name it in POST /v1/images/{image}/builds.',
  },
  'context-invalid': {
    cause:
      'The uploaded context is not a complete tar, tar.gz or zip archive, or contains entries that Slipway refuses: paths outside the archive, devices or encrypted files.',
    retry:
      'Pack the context again, upload it (POST /v1/uploads), then name it in POST /v1/images/{image}/builds.',
  },
  'context-too-large': {
    cause: 'The uploaded context is larger than the limit once unpacked.',
    retry: 'Remove files that the build does not copy, upload the rest (POST /v1/uploads), then {again}.',
  },
  'file-missing': {
    cause: 'COPY or ADD names a file that is not in the context, or that .dockerignore excludes.',
    retry: 'Upload a context with the file (POST /v1/uploads), then {again}.',
  },
  'download-failed': {
    cause: 'The builder could not fetch an address that ADD names.',
    retry:
      'Check the address, or put the file into the context; then send the Dockerfile with POST /v1/images/{image}/builds.',
  },
  'registry-untrusted': {
    cause: 'A registry presents a certificate that Slipway does not trust.',
    retry:
      "Ask your operator to add the authority that signed it to the stage's privateCertificateAuthorities, then {again}. Where builds run on your own machine, its container engine needs that certificate too, as /etc/docker/certs.d/<host>/ca.crt; Slipway changes nothing there.",
  },
  'secret-missing': {
    cause:
      "A secret that the build uses does not exist, can't be read, or is not listed in the build's `secrets`.",
    retry: 'Store it (PUT /v1/secrets/<name>), list it in `secrets` under the id of its mount, then {again}.',
  },
  'disk-full': {
    cause: 'The build filled the disk of its host.',
    retry: 'Make the image smaller or choose a larger compute, then {again}.',
  },
  'rate-limited': {
    cause: 'A registry refuses further requests for now.',
    retry: 'Wait, or connect that registry with an account of your own, then {again}.',
  },
  'out-of-memory': {
    cause: 'A step used more memory than the host has.',
    retry: 'Choose a larger compute, then {again}.',
  },
  'timed-out': {
    cause: 'The job took longer than the deployment allows.',
    retry: 'Make the slow step faster or choose a larger compute, then {again}.',
  },
  'builder-failed': {
    cause: 'The builder itself failed. The Dockerfile is probably not the cause.',
    retry: again,
  },
  'builder-lost': {
    cause: 'The machine that ran the build is gone.',
    retry: again,
  },
  'compute-unavailable': {
    cause: 'The deployment no longer has any of the computes that the build was to run on.',
    retry: '{again} with computes of GET /v1/computes.',
  },
  'queue-timeout': {
    cause: 'Other builds held every slot or machine for as long as builds may wait.',
    retry: again,
  },
  'start-refused': {
    cause: 'AWS refused to start the build.',
    retry: again,
  },
} as const satisfies Record<string, Explanation>;

export type BuildFailureCode = keyof typeof buildFailures;

const sendFrom = 'send it with POST /v1/images/{image}/builds.';

/** Of builds whose Dockerfile was generated: their author has never seen it. */
export const ofGenerated: Partial<Record<BuildFailureCode, Explanation>> = {
  'dockerfile-invalid': {
    cause: 'The Dockerfile that was generated from `from` could not be parsed.',
    retry: `Check the names in \`from\` and ${sendFrom}`,
  },
  'step-failed': {
    cause: 'The base cannot install what `from` names; the last lines say why.',
    retry: `Correct the packages in \`from\`, or choose another base, and ${sendFrom}`,
  },
  'base-image-not-found': {
    cause: 'The image in `from.base` does not exist under that name and tag.',
    retry: `Correct \`from.base\` and ${sendFrom}`,
  },
};
