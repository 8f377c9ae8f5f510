import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { experimentsPlace, type Place } from './place.ts';

let place: Place;
let tiny: string;
let entrypoint: string;
let shellless: string;
beforeAll(async () => {
  place = await experimentsPlace();
  tiny = await place.publish('tiny');
  entrypoint = await place.publish('entrypoint', [
    'WORKDIR /tmp',
    'ENTRYPOINT ["/bin/echo", "from the entrypoint:"]',
    'CMD ["its", "command"]',
  ]);
  const copied = 'COPY --from=base /bin/busybox /busybox';
  shellless = await place.publish('shellless', ['FROM scratch', copied, 'CMD ["/busybox", "true"]']);
});
afterAll(() => place.close());

describe('E2 a command in an image', () => {
  it('E1, E4 runs and succeeds, with its image pinned and each step on the timeline', async () => {
    const { id } = await place.create({ image: tiny, command: ['echo', 'hello'] });
    expect(await place.over(id)).toMatchObject({
      status: 'succeeded',
      exitCode: 0,
      image: { requested: tiny, rule: 'full-url', uri: tiny, digest: expect.stringMatching(/^sha256:/) },
      attempts: [{ number: 1, queue: 'cpu', stage: 'ended', exitCode: 0 }],
    });
    expect(await place.codes(id)).toEqual([
      'created',
      'pending',
      'image-resolved',
      'defined',
      'submitting',
      'queued',
      'provisioning',
      'running',
      'job-ended',
      'succeeded',
    ]);
    expect(await place.lines(id)).toEqual(['hello']);
    expect(place.problems).toEqual([]);
  });

  it('gets its environment, and what the experiment is', async () => {
    const { id } = await place.create({
      image: tiny,
      name: 'a "name" $HOME',
      project: 'iris',
      env: { GREETING: 'a  b\n"c" $d' },
      command: [
        'sh',
        '-c',
        'printf "%s|" "$GREETING" "$SLIPWAY_JOB_ID" "$SLIPWAY_JOB_NAME" "$SLIPWAY_PROJECT" "$SLIPWAY_COMPUTE_MEMORY"',
      ],
    });
    await place.over(id);
    expect((await place.lines(id)).join('\n')).toBe(`a  b\n"c" $d|${id}|a "name" $HOME|iris|1.0|`);
  });

  it('replaces the ENTRYPOINT of an image, in its working directory', async () => {
    const { id } = await place.create({ image: entrypoint, command: ['sh', '-c', 'echo mine; pwd'] });
    const done = await place.over(id);
    expect(done).toMatchObject({ status: 'succeeded', image: { uri: entrypoint } });
    expect(await place.lines(id)).toEqual(['mine', '/tmp']);
    expect(await place.codes(id)).toContain('image-ready');
    const again = await place.create({ image: entrypoint, command: ['sh', '-c', 'echo mine; pwd'] });
    expect((await place.over(again.id)).jobDefinition).toBe(done.jobDefinition);
  });

  it('is passed to the ENTRYPOINT where that is to be kept', async () => {
    const { id } = await place.create({ image: entrypoint, command: ['$HOME', '*'], entrypoint: 'keep' });
    await place.over(id);
    expect(await place.lines(id)).toEqual(['from the entrypoint: $HOME *']);
  });

  it("is the image's own where none is named", async () => {
    const own = await place.create({ image: entrypoint });
    const shell = await place.create({ image: shellless });
    expect((await place.over(own.id)).status).toBe('succeeded');
    expect(await place.lines(own.id)).toEqual(['from the entrypoint: its command']);
    expect((await place.over(shell.id)).status).toBe('succeeded');
  });

  it('E3 finds an image of the organisation by repository:tag', async () => {
    const image = { id: 'img_tiny', uri: tiny, status: 'ready', repository: 'tiny', tag: '1' };
    await place.table.put('acme', 'images', image.id, image);
    await place.table.put('acme', 'image-names', 'tiny:1#reg_private', { imageId: image.id });
    const { id } = await place.create({ image: 'tiny:1', command: ['true'] });
    expect(await place.over(id)).toMatchObject({
      status: 'succeeded',
      image: { requested: 'tiny:1', rule: 'repository-tag', uri: tiny },
    });
  });
});

describe('E1 an experiment that cannot end well says why', () => {
  const fails = async (asked: object) => {
    const { id } = await place.create({ image: tiny, command: ['true'], ...asked });
    const record = await place.over(id);
    expect(record.status).toBe('failed');
    // Only a log may be left to be kept.
    if (!record.startedAt) expect(record.openKey).toBeUndefined();
    return record.statusReason?.code;
  };

  it('a command that exits 3', async () => {
    expect(await fails({ command: ['sh', '-c', 'exit 3'] })).toBe('exit-code');
  });
  it('a command that does not exist', async () => {
    expect(await fails({ command: ['no-such-program'] })).toBe('command-not-found');
  });
  it('a command that cannot be executed', async () => {
    expect(await fails({ command: ['/etc/passwd'] })).toBe('command-not-executable');
  });
  it('an image without a shell', async () => {
    expect(await fails({ image: shellless })).toBe('image-without-shell');
  });
  it('an image that does not exist, or belongs to another organisation', async () => {
    const { registryHost } = place.cloud;
    expect(await fails({ image: `${registryHost}/acme/nothing:1` })).toBe('image-not-found');
    expect(await fails({ image: tiny.replace(/:1$/, ':2') })).toBe('image-not-found');
    expect(await fails({ image: `${registryHost}/globex/tiny:1` })).toBe('image-not-found');
  });
  it('a registry that nobody can reach', async () => {
    expect(await fails({ image: 'registry.invalid/some/image:1' })).toBe('registry-unavailable');
  });
  it('what is no name of an image', async () => {
    expect(await fails({ image: 'Not A Name' })).toBe('image-invalid-name');
  });
  it('an image without any command', async () => {
    const image = await place.publish('commandless', [
      'FROM scratch',
      'COPY --from=base /bin/busybox /busybox',
    ]);
    expect(await fails({ image, command: undefined })).toBe('no-command');
  });
  it('more memory than any host has, at once and not in the queue', async () => {
    expect(await fails({ compute: 'larger-than-any-host' })).toBe('compute-unavailable');
  });
  it('a GPU where there is none, at once and not in the queue', async () => {
    expect(await fails({ compute: 'gpu-small' })).toBe('compute-unavailable');
  });
  it('a definition that Batch would not take', async () => {
    expect(await fails({ command: ['echo', ...Array(4).fill('"'.repeat(4000))] })).toBe(
      'definition-too-large',
    );
  });
  it('an image for other machines only', async () => {
    const client = await place.launcher.access.clientFor('acme', place.cloud.registryHost, 'acme/tiny');
    const { digest, body, mediaType } = await client.getManifest('acme/tiny', '1');
    const index = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.index.v1+json',
        manifests: [
          { mediaType, digest, size: body.length, platform: { os: 'linux', architecture: 'arm64' } },
        ],
      }),
    );
    await client.putManifest('acme/tiny', 'arm', 'application/vnd.oci.image.index.v1+json', index);
    expect(await fails({ image: tiny.replace(/:1$/, ':arm') })).toBe('image-unsupported');
  });
});

describe('E15 attempts', () => {
  it('are made again after an error where that is asked for, each with its own log', async () => {
    const { id } = await place.create({
      image: tiny,
      command: ['sh', '-c', 'echo "attempt $SLIPWAY_JOB_ATTEMPT"; exit $((3 - SLIPWAY_JOB_ATTEMPT))'],
      retry: { attempts: 5, on: ['error'] },
    });
    const done = await place.over(id);
    expect(done).toMatchObject({ status: 'succeeded', exitCode: 0 });
    expect(done.attempts.map(({ exitCode, reason }) => [exitCode, reason?.code])).toEqual([
      [2, 'exit-code'],
      [1, 'exit-code'],
      [0, undefined],
    ]);
  });

  it('end when there are no more', async () => {
    const retry = { attempts: 2, on: ['error'] };
    const { id } = await place.create({ image: tiny, command: ['sh', '-c', 'exit 3'], retry });
    const { status, attempts, exitCode } = await place.over(id);
    expect([status, attempts.length, exitCode]).toEqual(['failed', 2, 3]);
  });
});

describe('E16 stopping', () => {
  it('before it was started: at once', async () => {
    const { id } = await place.create({ image: tiny }, false);
    expect(await place.stop(id)).toMatchObject({ status: 'stopped', attempts: [] });
    expect(await place.stop(id)).toMatchObject({ status: 'stopped' });
  });

  it('right after the request, at whatever stage that is', async () => {
    const created = await Promise.all(
      [0, 20, 40, 60, 90, 130].map(async (milliseconds) => {
        const { id } = await place.create({ image: tiny, command: ['sleep', '300'] });
        await new Promise((done) => setTimeout(done, milliseconds));
        await place.stop(id);
        return id;
      }),
    );
    for (const id of created)
      expect(await place.over(id)).toMatchObject({
        status: 'stopped',
        statusReason: { code: 'stopped-by-user' },
      });
  });

  it('while it waits for a host', async () => {
    const busy = await place.occupied(tiny);
    const { id } = await place.create({ image: tiny, command: ['true'], compute: 'spot-first' });
    await place.until(id, ({ attempts }) => attempts[0]?.stage === 'queued');
    await place.stop(id);
    expect(await place.over(id)).toMatchObject({ status: 'stopped' });
    expect((await place.get(id)).startedAt).toBeUndefined();
    await place.stop(busy);
    await place.over(busy);
  });

  it('while it runs: its process gets SIGTERM, and ends by it', async () => {
    const { id } = await place.create({
      image: tiny,
      command: ['sleep', '300'],
      retry: { attempts: 3, on: ['error'] },
    });
    await place.until(id, ({ status }) => status === 'running');
    await Promise.all([place.stop(id), place.stop(id)]);
    const stopped = await place.over(id);
    expect(stopped).toMatchObject({ status: 'stopped', attempts: [{ stage: 'ended', exitCode: 143 }] });
  });
});
