/** What hosts say of images that they can't pull or start, in the words of Docker's and of ECS's versions. */
import { describe, expect, it } from 'vitest';
import { failureOf, nextQueue } from '../../../shared/experiment/verdict.ts';
import { job } from './records.ts';

const daemon = 'Error response from daemon:';
const runc = 'failed to create shim task: OCI runtime create failed: runc create failed:';
const digest = 'sha256:5a4cdb90593a4aad8c619ef2b90f5b5db8bc39f5423986e077';

const reasonOf = (containerReason: string) =>
  failureOf(
    job({ status: 'FAILED', statusReason: 'Task failed to start', containerReason }),
    {},
    { command: ['true'], entrypoint: 'replace' },
  );
const isRetried = (reason: ReturnType<typeof reasonOf>) =>
  nextQueue(
    {
      attempts: [{ number: 1, queue: 'cpu', stage: 'ended', createdAt: '', ...(reason ? { reason } : {}) }],
      retry: { attempts: 3, on: ['error'] },
    },
    ['cpu'],
  ) !== undefined;

describe('E2 an image that can not be pulled', () => {
  it.each([
    ['image-not-found', `CannotPullContainerError: ${daemon} manifest for x:1 not found: manifest unknown`],
    [
      'image-not-found',
      'CannotPullECRContainerError: RepositoryNotFoundException: The repository does not exist',
    ],
    [
      'image-not-found',
      'CannotPullContainerError: pull image manifest has been retried 1 time(s): x: not found',
    ],
    [
      'image-unauthorized',
      `CannotPullContainerError: ${daemon} pull access denied for x, repository does not exist or may require 'docker login'`,
    ],
    [
      'image-unauthorized',
      'CannotPullECRContainerError: AccessDeniedException: User: x is not authorized to perform: ecr:GetAuthorizationToken',
    ],
    ['image-unauthorized', `CannotPullContainerError: ${daemon} Head "https://x": no basic auth credentials`],
    ['image-unauthorized', 'CannotPullContainerRegistryAuthError: unexpected status: 403 Forbidden'],
    [
      'registry-rate-limited',
      `CannotPullContainerError: ${daemon} toomanyrequests: You have reached your pull rate limit`,
    ],
    [
      'image-unsupported',
      `CannotPullContainerError: ${daemon} no matching manifest for linux/amd64 in the manifest list`,
    ],
    [
      'image-unsupported',
      `CannotPullContainerError: ${daemon} image operating system "windows" cannot be used on this platform`,
    ],
    [
      'image-corrupt',
      `CannotPullContainerError: ${daemon} filesystem layer verification failed for digest ${digest}`,
    ],
    [
      'image-corrupt',
      `CannotPullContainerError: ${daemon} failed to register layer: Error processing tar file(exit status 1): unexpected EOF`,
    ],
    ['image-corrupt', `CannotPullContainerError: ${daemon} archive/tar: invalid tar header`],
    ['image-corrupt', 'CannotPullContainerError: failed to extract layer sha256:1: gzip: invalid checksum'],
    [
      'image-corrupt',
      `CannotPullContainerError: ${daemon} layers from manifest don't match image configuration`,
    ],
  ])('%s, which is not tried again: %s', (code, words) => {
    const reason = reasonOf(words);
    expect(reason?.code).toBe(code);
    expect(isRetried(reason)).toBe(false);
    expect(reason?.message).toContain('container engine said');
    expect(reason?.message).not.toMatch(/Batch|Task failed|CannotPull/);
  });

  it.each([
    `CannotPullContainerError: ${daemon} Get "https://x/v2/": dial tcp: i/o timeout`,
    `CannotPullContainerError: ${daemon} Get "https://x/v2/": net/http: TLS handshake timeout`,
    'CannotPullContainerError: failed to resolve ref: context deadline exceeded',
    `CannotPullContainerError: ${daemon} dial tcp: lookup x: no such host`,
    `CannotPullContainerError: ${daemon} failed to register layer: write /x: no space left on device`,
    `CannotPullContainerError: ${daemon} unexpected EOF`,
    'CannotPullImageManifestError: something new',
  ])('for now: %s', (words) => {
    const reason = reasonOf(words);
    expect(reason?.code).toBe('image-pull-failed');
    expect(isRetried(reason)).toBe(true);
  });
});

describe('E2 a container that can not be started', () => {
  it.each([
    [
      'USER `bob`',
      `CannotStartContainerError: ${daemon} unable to find user bob: no matching entries in passwd file`,
    ],
    [
      'USER `bob`',
      `CannotStartContainerError: ${daemon} linux spec user: unable to find user bob: no matching entries in passwd file`,
    ],
    [
      'group `lab`',
      `CannotStartContainerError: ${daemon} unable to find group lab: no matching entries in group file`,
    ],
    [
      'number',
      `CannotStartContainerError: ${daemon} linux spec user: uids and gids must be in range 0-2147483647`,
    ],
    [
      'WORKDIR `app`',
      `CannotCreateContainerError: ${daemon} the working directory 'app' is invalid, it needs to be an absolute path`,
    ],
    ['WORKDIR', `CannotStartContainerError: ${daemon} ${runc} Cwd must be an absolute path: unknown`],
    [
      'WORKDIR `/etc/passwd`',
      `CannotCreateContainerError: ${daemon} Cannot mkdir: /etc/passwd is not a directory`,
    ],
    [
      'WORKDIR `/etc/passwd/x`',
      `CannotCreateContainerError: ${daemon} lstat /var/lib/docker/overlay2/90/merged/etc/passwd/x: not a directory`,
    ],
    [
      'WORKDIR `/etc/passwd`',
      `CannotStartContainerError: ${daemon} ${runc} chdir to cwd ("/etc/passwd") set in config.json failed: not a directory: unknown`,
    ],
    [
      'no permission to enter its WORKDIR `/root`',
      `CannotStartContainerError: ${daemon} ${runc} chdir to cwd ("/root") set in config.json failed: permission denied: unknown`,
    ],
    [
      'without a name: `=value`',
      `CannotCreateContainerError: ${daemon} invalid environment variable: =value`,
    ],
    [
      'without a name: `=value`',
      `CannotStartContainerError: ${daemon} ${runc} error during container init: environment variable name can't be empty: "=value": unknown`,
    ],
    [
      'must be directories in the image',
      `CannotStartContainerError: ${daemon} ${runc} error mounting "proc" to rootfs at "/proc": not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)?`,
    ],
  ])('%s', (message, words) => {
    const reason = reasonOf(words);
    expect(reason?.code).toBe('image-config-invalid');
    expect(reason?.message).toContain(message);
    expect(reason?.message).not.toMatch(/Batch|Task failed|CannotStart|runc/);
    expect(isRetried(reason)).toBe(false);
  });

  it.each([
    `CannotStartContainerError: ${daemon} failed to initialize logging driver: failed to create Cloudwatch log stream`,
    `CannotStartContainerError: ${daemon} ${runc} nvidia-container-cli: initialization error: driver error: unknown`,
    'CannotCreateContainerError: Could not create container: context deadline exceeded',
    'ResourceInitializationError: unable to pull secrets or registry auth',
  ])('for reasons of the host, which may pass: %s', (words) => {
    const reason = reasonOf(words);
    expect(reason?.code).toBe('launch-failed');
    expect(isRetried(reason)).toBe(true);
  });
});
