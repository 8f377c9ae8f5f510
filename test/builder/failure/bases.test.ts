import { describe, expect, test } from 'vitest';
import { pullFailure } from '../../../builder/failure/registry-words.ts';
import { failureOf } from './printed.ts';

describe('B1 B4 why a build failed', () => {
  test('B6 an image to copy from that its registry does not give', () => {
    const failure = failureOf(`
#5 FROM 127.0.0.1:5000/hidden/base:1
#5 ERROR: pulling from host 127.0.0.1:5000 failed with status code [manifests 1]: 401 Unauthorized
------
 > FROM 127.0.0.1:5000/hidden/base:1:
------
failed to load cache key: pulling from host 127.0.0.1:5000 failed with status code [manifests 1]: 401 Unauthorized`);
    expect(failure.code).toBe('base-image-unauthorized');
  });

  const bases: [string, string][] = [
    ['docker.io/library/python:3.99: not found', 'base-image-not-found'],
    [
      'quay.io/x/y: failed to resolve source metadata for quay.io/x/y: quay.io/x/y: not found',
      'base-image-not-found',
    ],
    [
      'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
      'base-image-unauthorized',
    ],
    [
      'unexpected status from HEAD request to https://ghcr.io/v2/x/manifests/1: 403 Forbidden',
      'base-image-unauthorized',
    ],
    [
      'failed to do request: Head "http://127.0.0.1:5999/v2/nosuch/manifests/1": dial tcp 127.0.0.1:5999: connect: connection refused',
      'base-image-unavailable',
    ],
    [
      'failed to do request: Head "https://registry-1.docker.io/v2/library/python/manifests/3": dial tcp: lookup registry-1.docker.io: no such host',
      'base-image-unavailable',
    ],
    ['toomanyrequests: You have reached your pull rate limit.', 'rate-limited'],
    ['no match for platform in manifest sha256:abc: not found', 'base-image-not-found'],
    ['quay.io/acme/sd-512:503: not found', 'base-image-not-found'],
    [
      'unexpected status from HEAD request to https://ghcr.io/v2/acme/sd-404/manifests/429: 502 Bad Gateway',
      'base-image-unavailable',
    ],
  ];
  test.each(bases)('a base image: %s', (message, code) => {
    const failure = failureOf(
      `#3 [internal] load metadata for docker.io/library/x:1\n#3 ERROR: ${message}\n------\n > [internal] load metadata for docker.io/library/x:1:\n------\nfailed to solve with frontend dockerfile.v0: failed to create LLB definition: ${message}`,
    );
    expect(failure.code).toBe(code);
    expect(failure.step).toBeUndefined();
    expect(failure.lastLines?.length).toBeGreaterThan(0);
  });
});

describe('R9 a registry whose certificate the engine does not trust', () => {
  const said = 'Get "https://10.0.0.2/v2/": x509: certificate signed by unknown authority';

  test('while a base image is looked up, and pulled', () => {
    for (const step of ['[internal] load metadata for 10.0.0.2/x:1', 'FROM 10.0.0.2/x:1'])
      expect(
        failureOf(`
#3 ${step}
#3 ERROR: failed to do request: ${said}
------
 > ${step}:
------
failed to solve with frontend dockerfile.v0: failed to create LLB definition: failed to do request: ${said}`)
          .code,
      ).toBe('registry-untrusted');
    expect(pullFailure('10.0.0.2/x:1', [`Error response from daemon: ${said}`]).code).toBe(
      'registry-untrusted',
    );
  });
});
