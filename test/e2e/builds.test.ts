/** Builds on the real engine, through the API, as a user would do them. */
import { describe, expect, inject, it } from 'vitest';
import { duration, size } from '../../shared/text/quantities.ts';
import { apiOf, type Json, settled, unique } from './client.ts';
import { processesWith } from './engine-traces.ts';
import { mailsAbout } from './outbox.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);

interface Started {
  image: Json;
  buildPath: string;
}

async function build(
  dockerfile: string,
  repository = unique('e2e'),
  tag = '1',
  more: object = {},
): Promise<Started> {
  const reply = await api.post('/v1/images', {
    source: { type: 'build', dockerfile, ...more },
    registryId: 'reg_private',
    repository,
    tag,
  });
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  expect(reply.headers.get('location')).toBe(`/v1/builds/${reply.body.currentBuild.id}`);
  return { image: reply.body, buildPath: `/v1/builds/${reply.body.currentBuild.id}` };
}

/** Waits until `count` mails mention `text`, and a moment longer for one too many. */
async function mails(text: string, count = 1): Promise<string[]> {
  await expect.poll(async () => (await mailsAbout(text)).length).toBe(count);
  await new Promise((done) => setTimeout(done, 500));
  const found = await mailsAbout(text);
  expect(found).toHaveLength(count);
  return found;
}

async function manifest(repository: string, tag: string): Promise<{ status: number; digest: string | null }> {
  const { ECRClient, GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr');
  const ecr = new ECRClient({
    region: cloud.region,
    endpoint: cloud.endpointUrl,
    credentials: { accessKeyId: cloud.accessKeyId, secretAccessKey: cloud.secretAccessKey },
  });
  const { authorizationData = [] } = await ecr.send(new GetAuthorizationTokenCommand({}));
  const answer = await fetch(`http://${cloud.registryHost}/v2/${repository}/manifests/${tag}`, {
    headers: {
      authorization: `Basic ${authorizationData[0]?.authorizationToken}`,
      accept:
        'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json',
    },
  });
  return { status: answer.status, digest: answer.headers.get('docker-content-digest') };
}

describe('a build that succeeds', () => {
  it('B1 answers at once, pushes, and the image says what the registry says', async () => {
    const { image, buildPath } = await build(`FROM ${tinyBase}\nRUN echo hello > /hello\n`);
    expect(image).toMatchObject({ status: 'pending', source: 'build', author: 'ada@acme.example' });
    const done = await api.until(buildPath, settled);
    expect(done).toMatchObject({
      status: 'succeeded',
      kind: 'build',
      imageId: image.id,
      uri: image.uri,
      cached: false,
    });
    const ready = await api.read(`/v1/images/${image.id}`);
    expect(ready).toMatchObject({ status: 'ready', digest: done.digest });
    expect(ready.sizeBytes).toBeGreaterThan(1000);
    expect(ready.uri).toBe(`${cloud.registryHost}/acme/${image.repository}:1`);
    expect(await manifest(`acme/${image.repository}`, '1')).toEqual({ status: 200, digest: ready.digest });
  });

  it('B3 streams the log while it builds, from any cursor, and keeps it', async () => {
    const { buildPath } = await build(
      `FROM ${tinyBase}\nARG NONCE=${unique('n')}\nRUN for i in 1 2 3 4; do echo "line-$i"; sleep 3; done\n`,
    );
    const seen: { text: string; building: boolean }[] = [];
    let cursor: string | undefined;
    for (;;) {
      const query = new URLSearchParams({ wait: '20', ...(cursor ? { cursor } : {}) });
      const page = await api.read(`${buildPath}/logs?${query}`);
      const building = !settled(await api.read(buildPath));
      seen.push(...page.items.map(({ text }: Json) => ({ text, building })));
      if (page.nextCursor === undefined) break;
      cursor = page.nextCursor;
    }
    const lines = seen.filter(({ text }) => /line-\d$/.test(text) && !text.includes('for i in'));
    expect(lines.map(({ text }) => text.slice(-6))).toEqual(['line-1', 'line-2', 'line-3', 'line-4']);
    // The first line reached us while the build was still at work: live, not afterwards.
    expect(lines[0]?.building).toBe(true);
    const kept = await api.log(buildPath);
    expect(kept.map((line) => line.text)).toEqual(seen.map((line) => line.text));
  });

  it('B4 sends one mail with digest, size and duration', async () => {
    const { image, buildPath } = await build(`FROM ${tinyBase}\n`);
    const done = await api.until(buildPath, settled);
    const { sizeBytes } = await api.read(`/v1/images/${image.id}`);
    const { items } = await api.until(`${buildPath}/events?limit=100`, (page) => page.complete);
    expect(items.filter(({ code }: Json) => code === 'mail-sent')).toHaveLength(1);
    const [mail = '', ...more] = await mails(done.id);
    expect(more).toEqual([]);
    expect(mail).toMatch(/^To: .*ada@acme\.example/m);
    const text = mail.replace(/=\r?\n/g, '');
    expect(text).toMatch(new RegExp(`^Digest: +${done.digest}`, 'm'));
    expect(text).toMatch(new RegExp(`^Size: +${size(sizeBytes)}\\r?$`, 'm'));
    expect(text).toMatch(new RegExp(`^Duration: +${duration(done.durationSeconds)}\\r?$`, 'm'));
    expect(mail).toContain(image.repository);
    expect(mail).toContain('text/html');
    expect(mail).toContain('text/plain');
  });

  it('keeps a timeline in which every transition has a code and a time', async () => {
    const { buildPath } = await build(`FROM ${tinyBase}\nRUN true\n`);
    await api.until(buildPath, settled);
    // The mail comes after the end, and is on the timeline too.
    const { items } = await api.until(`${buildPath}/events?limit=100`, (page) => page.complete);
    expect(items.map((event: Json) => event.seq)).toEqual(items.map((_: Json, i: number) => i));
    expect(items.every((event: Json) => event.code && Date.parse(event.time) > 0)).toBe(true);
    const { nextCursor } = await api.read(`${buildPath}/events?limit=2`);
    const rest = await api.read(`${buildPath}/events?limit=100&cursor=${nextCursor}`);
    expect(rest.items).toEqual(items.slice(2));
  });
});

describe('a build that fails', () => {
  const cases: [string, string, string][] = [
    ['a Dockerfile that does not parse', 'FORM alpine\n', 'dockerfile-invalid'],
    [
      'a failing RUN',
      `FROM ${tinyBase}\nRUN echo so far so good\nRUN echo about to fail && exit 7\n`,
      'step-failed',
    ],
    [
      'an unknown base image',
      `FROM ${cloud.registryHost}/acme/tiny:nobody-pushed-this\n`,
      'base-image-not-found',
    ],
  ];
  it.each(cases)('B1 %s: a stable code, the last lines, log and mail', async (_name, dockerfile, code) => {
    const { image, buildPath } = await build(dockerfile);
    const done = await api.until(buildPath, settled);
    expect(done).toMatchObject({ status: 'failed', failure: { code } });
    expect(done.failure.message.length).toBeGreaterThan(10);
    expect(done.failure.lastLines.length).toBeGreaterThan(0);
    expect((await api.log(buildPath)).length).toBeGreaterThan(0);
    expect(await api.read(`/v1/images/${image.id}`)).toMatchObject({ status: 'failed' });
    const [mail = ''] = await mails(done.id);
    expect(mail).toContain(code);
  });

  it('B4 names the failing step', async () => {
    const { buildPath } = await build(`FROM ${tinyBase}\nRUN true\nRUN echo boom && exit 3\n`);
    const { failure } = await api.until(buildPath, settled);
    expect(failure.step).toContain('RUN echo boom && exit 3');
    expect(failure.lastLines.join('\n')).toContain('boom');
    expect(failure.message).toContain('3');
  });

  it('B4 tells the likely cause and how to try again, in the answer word for word as in the mail', async () => {
    const { image, buildPath } = await build(`FROM ${tinyBase}\nRUN exit 4\n`);
    const { id, failure } = await api.until(buildPath, settled);
    expect(failure.likelyCause).toBe('A command of the Dockerfile failed. Its last lines say why.');
    expect(failure.howToRetry).toContain(`POST /v1/images/${image.id}/builds`);
    const [mail = ''] = await mails(id);
    const text = mail.replace(/=\r?\n/g, '');
    expect(text).toContain(`Likely cause: ${failure.likelyCause}`);
    expect(text).toContain(`How to try again: ${failure.howToRetry}`);
    const { items } = await api.read(`/v1/builds?imageId=${image.id}`);
    expect(items[0].failure).toEqual(failure);
  });

  it('B2 never replaces a working image: tag and digest move only on success', async () => {
    const { image, buildPath } = await build(`FROM ${tinyBase}\nRUN echo one > /version\n`);
    await api.until(buildPath, settled);
    const working = await api.read(`/v1/images/${image.id}`);
    const again = await api.post(`/v1/images/${image.id}/builds`, {
      dockerfile: `FROM ${tinyBase}\nRUN exit 1\n`,
    });
    expect(again.status).toBe(202);
    expect(again.body).toMatchObject({ id: image.id, status: 'ready', digest: working.digest });
    expect((await api.until(`/v1/builds/${again.body.currentBuild.id}`, settled)).status).toBe('failed');
    expect(await api.read(`/v1/images/${image.id}`)).toMatchObject({
      status: 'ready',
      digest: working.digest,
    });
    expect((await manifest(`acme/${image.repository}`, '1')).digest).toBe(working.digest);

    const third = await api.post(`/v1/images/${image.id}/builds`, {
      dockerfile: `FROM ${tinyBase}\nRUN echo two > /version\n`,
    });
    await api.until(`/v1/builds/${third.body.currentBuild.id}`, settled);
    const moved = await api.read(`/v1/images/${image.id}`);
    expect(moved.digest).not.toBe(working.digest);
    expect((await manifest(`acme/${image.repository}`, '1')).digest).toBe(moved.digest);
  });

  it('R5 B5 refuses a public registry, with nothing written', async () => {
    const reply = await api.post('/v1/images', {
      source: { type: 'build', dockerfile: `FROM ${tinyBase}\n` },
      registryId: 'reg_dockerhub',
      repository: 'library/python',
      tag: '3',
    });
    expect(reply.status).toBe(422);
    expect(reply.body.errors[0].pointer).toBe('/registryId');
  });
});

describe('stopping', () => {
  it('B7 a running build: confirmed, and no container stays behind', async () => {
    const marker = unique('stop');
    // A shell that waits for something keeps its name; at its last command it would become that.
    const step = `echo ${marker} && sh -c 'sleep 300; true' ${marker}`;
    const { image, buildPath } = await build(`FROM ${tinyBase}\nRUN ${step}\n`);
    await expect
      .poll(async () =>
        (await api.read(`${buildPath}/logs?limit=1000`)).items.some(
          (l: Json) => /^#\d+ [\d.]+ /.test(l.text) && l.text.includes(marker),
        ),
      )
      .toBe(true);
    await expect.poll(() => processesWith(marker)).not.toEqual([]);
    const stop = await api.post(`${buildPath}/stop`);
    expect(stop.status).toBe(202);
    const done = await api.until(buildPath, settled);
    expect(done.status).toBe('stopped');
    expect(await api.read(`/v1/images/${image.id}`)).toMatchObject({ status: 'failed' });
    await expect.poll(() => processesWith(marker)).toEqual([]);
  });

  it('B7 right after the request, and twice', async () => {
    const { buildPath } = await build(`FROM ${tinyBase}\nRUN sleep 300\n`);
    const replies = await Promise.all([api.post(`${buildPath}/stop`), api.post(`${buildPath}/stop`)]);
    expect(replies.map((reply) => reply.status)).toEqual([202, 202]);
    expect((await api.until(buildPath, settled)).status).toBe('stopped');
    // Stopping what has ended changes nothing.
    expect(await api.post(`${buildPath}/stop`)).toMatchObject({ status: 200, body: { status: 'stopped' } });
  });
});

describe('repetition', () => {
  it('an Idempotency-Key makes one image and one build, twenty times at once', async () => {
    const body = {
      source: { type: 'build', dockerfile: `FROM ${tinyBase}\n` },
      registryId: 'reg_private',
      repository: unique('once'),
      tag: '1',
    };
    const key = { 'idempotency-key': unique('key') };
    const replies = await Promise.all(Array.from({ length: 20 }, () => api.post('/v1/images', body, key)));
    const created = replies.filter((reply) => reply.status === 202);
    expect(created.length).toBeGreaterThan(0);
    expect(new Set(created.map((reply) => reply.body.currentBuild.id)).size).toBe(1);
    for (const reply of replies) expect([202, 409]).toContain(reply.status);
    const later = await api.post('/v1/images', body, key);
    expect(later.body.id).toBe(created[0]?.body.id);
    const other = await api.post('/v1/images', { ...body, tag: '2' }, key);
    expect(other).toMatchObject({
      status: 422,
      body: { type: 'urn:slipway:problem:idempotency-key-reused' },
    });
    await api.until(`/v1/builds/${later.body.currentBuild.id}`, settled);
  });

  it('the same repository and tag twice is a conflict that names the image', async () => {
    const { image, buildPath } = await build(`FROM ${tinyBase}\n`);
    const again = await api.post('/v1/images', {
      source: { type: 'build', dockerfile: `FROM ${tinyBase}\nRUN echo other\n` },
      registryId: 'reg_private',
      repository: image.repository,
      tag: '1',
    });
    expect(again.status).toBe(409);
    expect(again.body.candidates).toEqual([image.id]);
    await api.until(buildPath, settled);
  });
});
