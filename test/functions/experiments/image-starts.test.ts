/** Images that no container starts from, and commands that can't be run, on the real engine. */
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256Of } from '../../../shared/registry/digest.ts';
import { experimentsPlace, type Place } from './place.ts';

let place: Place;
let tiny: string;
beforeAll(async () => {
  place = await experimentsPlace();
  tiny = await place.publish('tiny');
});
afterAll(() => place.close());

interface ImageJson {
  config: Record<string, unknown>;
  rootfs: { diff_ids: string[] };
}
interface ManifestJson {
  config: { digest: string; size: number };
  layers: { digest: string; size: number; mediaType: string }[];
}

/** The tiny image with another configuration or other layers, as tools other than Docker make them. */
async function altered(
  tag: string,
  change: (image: ImageJson, manifest: ManifestJson) => Buffer[] | undefined,
): Promise<string> {
  const repository = 'acme/tiny';
  const client = await place.launcher.access.clientFor('acme', place.cloud.registryHost, repository);
  const { body, mediaType } = await client.getManifest(repository, '1');
  const manifest = JSON.parse(body.toString()) as ManifestJson;
  const image = JSON.parse(
    (await client.readBlob(repository, manifest.config.digest, 1e6)).toString(),
  ) as ImageJson;
  for (const blob of change(image, manifest) ?? []) await client.putBlob(repository, sha256Of(blob), blob);
  const config = Buffer.from(JSON.stringify(image));
  await client.putBlob(repository, sha256Of(config), config);
  manifest.config = { ...manifest.config, digest: sha256Of(config), size: config.length };
  await client.putManifest(repository, tag, mediaType, Buffer.from(JSON.stringify(manifest)));
  return tiny.replace(/:1$/, `:${tag}`);
}

const configured = (fields: Record<string, unknown>) => (image: ImageJson) => {
  Object.assign(image.config, fields);
  return undefined;
};

/** Its one attempt, though another was asked for. */
async function fails(asked: object) {
  const { id } = await place.create({ image: tiny, retry: { attempts: 3, on: ['error'] }, ...asked });
  const { status, statusReason, attempts } = await place.over(id);
  expect([status, attempts.length], JSON.stringify(attempts)).toEqual(['failed', 1]);
  return statusReason;
}

describe('E2 an image that no container starts from has a reason of its own, and is not tried again', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['user', { User: 'bob' }, 'USER `bob` is not in its /etc/passwd'],
    ['group', { User: '0:staff-of-none' }, 'group `staff-of-none`'],
    ['number', { User: '99999999999' }, 'USER'],
    ['relative', { WorkingDir: 'app' }, 'is relative'],
    ['file', { WorkingDir: '/bin/busybox' }, 'WORKDIR `/bin/busybox`'],
    ['below', { WorkingDir: '/bin/busybox/x' }, 'WORKDIR `/bin/busybox/x`'],
    ['nameless', { Env: ['PATH=/bin', '=value'] }, 'without a name: `=value`'],
  ])('%s %j', async (tag, config, message) => {
    const image = await altered(tag, configured(config));
    const reason = await fails({ image, command: ['true'] });
    expect(reason?.code, reason?.message).toBe('image-config-invalid');
    expect(reason?.message).toContain(message);
  });

  it.each<[string, string, string]>([
    ['missing', '/no-such-program', 'The image lacks this program'],
    ['data', '/etc/passwd', 'no permission to execute'],
  ])('an ENTRYPOINT that is %s', async (tag, program, message) => {
    const image = await altered(`entrypoint-${tag}`, configured({ Entrypoint: [program] }));
    for (const asked of [{}, { command: ['7'], entrypoint: 'keep' }]) {
      const reason = await fails({ image, ...asked });
      expect(reason?.code, reason?.message).toBe('image-config-invalid');
      expect(reason?.message).toContain(message);
    }
  });

  it('damaged layers', async () => {
    const replaced = (blob: Buffer) => (image: ImageJson, manifest: ManifestJson) => {
      const last = manifest.layers.length - 1;
      // One that the engine doesn't have yet.
      image.rootfs.diff_ids[last] = sha256Of(randomBytes(9));
      manifest.layers[last] = {
        mediaType: manifest.layers[last]?.mediaType ?? '',
        digest: sha256Of(blob),
        size: blob.length,
      };
      return [blob];
    };
    const noise = await altered('noise', replaced(randomBytes(5000)));
    const noTar = await altered('no-tar', replaced(gzipSync(randomBytes(5000))));
    const truncated = await altered('cut', replaced(gzipSync(Buffer.alloc(1e5, 'x')).subarray(0, 60)));
    for (const image of [noise, noTar, truncated]) {
      const reason = await fails({ image, command: ['true'] });
      expect(reason?.code, reason?.message).toBe('image-corrupt');
    }
  });

  // The machine's number in the header of a program: arm64.
  const foreign = (path: string) =>
    `RUN cp /bin/busybox /x && printf '\\267' | dd of=/x bs=1 seek=18 conv=notrunc && mv /x ${path}`;
  it('programs for another processor', async () => {
    const all = await place.publish('foreign', [foreign('/bin/busybox'), 'CMD ["/bin/echo"]']);
    const one = await place.publish('foreign-program', [foreign('/start'), 'CMD ["/start"]']);
    for (const asked of [{ image: all }, { image: all, command: ['true'] }, { image: one }]) {
      const reason = await fails(asked);
      expect(reason?.code, reason?.message).toBe('image-unsupported');
    }
    expect((await fails({ image: one, command: ['/start'] }))?.code).toBe('command-not-executable');
  });
});

describe('E2 a command that cannot be run is named, with what to write instead', () => {
  const script = (first: string) =>
    `printf '${first}\\necho hi\\n' > /tmp/x && chmod +x /tmp/x && exec /tmp/x`;
  it.each<[unknown, string, string]>([
    [['sh -c true'], 'command-not-found', 'one word'],
    [['source', 'x'], 'command-not-found', 'bash'],
    [['sh', '-c', 'nosuch'], 'command-not-found', '`nosuch`'],
    [['-v'], 'command-not-found', '`-v`'],
    [['sh', '-c', script('#!/nosuch')], 'command-not-found', 'exit code 127'],
    [['/etc/passwd'], 'command-not-executable', '`/etc/passwd`'],
    [['/etc'], 'command-not-executable', '`/etc`'],
  ])('%j', async (command, code, message) => {
    const reason = await fails({ command });
    expect(reason?.code, reason?.message).toBe(code);
    expect(reason?.message).toContain(message);
    expect(reason?.message).not.toMatch(/Batch|Essential/);
  });

  it('a script with the line ends of Windows, or an interpreter that is not there', async () => {
    const image = await place.publish('scripts', [
      "RUN printf '#!/bin/sh\\r\\necho\\r\\n' > /crlf.sh; printf '#!/usr/bin/nosuch\\n' > /none.sh; chmod +x /*.sh",
    ]);
    const crlf = await fails({ image, command: ['/crlf.sh'] });
    expect(crlf).toEqual({
      code: 'command-not-found',
      message: expect.stringContaining('Unix line endings'),
    });
    const none = await fails({ image, command: ['/none.sh'] });
    expect(none?.message).toContain('`/usr/bin/nosuch`');
  });

  it('an argument for the ENTRYPOINT', async () => {
    const image = await altered('with-entrypoint', configured({ Entrypoint: ['echo'] }));
    const reason = await fails({ image, command: ['7'] });
    expect(reason?.message).toContain('"entrypoint": "keep"');
  });
});
