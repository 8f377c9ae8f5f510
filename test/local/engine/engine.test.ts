import { afterAll, describe, expect, test } from 'vitest';
import { dockerHost, engineAddress } from '../../../local/engine/address.ts';
import { EngineError } from '../../../local/engine/connection.ts';
import { createEngine } from '../../../local/engine/engine.ts';
import { logLineReader, nanoseconds } from '../../../local/engine/log-frames.ts';
import { image, makeImage } from '../batch/place.ts';

const frame = (stream: number, entry: string) => {
  const bytes = Buffer.from(entry);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
};

describe("the engine's log", () => {
  const at = (nanosecond: number) => `2026-11-21T10:00:00.00000000${nanosecond}Z`;
  const time = (nanosecond: number) => nanoseconds(at(nanosecond));

  test('is read in whatever pieces it arrives, both streams apart', () => {
    const whole = Buffer.concat([frame(1, `${at(1)} one\n`), frame(2, `${at(2)} zwei ü\n`)]);
    const reader = logLineReader();
    const lines = [...whole].flatMap((byte) => reader.read(Buffer.from([byte])).lines);
    expect(lines).toEqual([
      { stream: 'stdout', time: time(1), text: 'one' },
      { stream: 'stderr', time: time(2), text: 'zwei ü' },
    ]);
  });

  test('puts lines together that the engine has cut', () => {
    const reader = logLineReader();
    const frames = [
      frame(1, `${at(1)} aaa`),
      frame(2, `${at(2)} other\n`),
      frame(1, `${at(3)} bbb`),
      frame(1, `${at(4)} c\n`),
    ];
    expect(reader.read(Buffer.concat(frames)).lines).toEqual([
      { stream: 'stderr', time: time(2), text: 'other' },
      { stream: 'stdout', time: time(1), text: 'aaabbbc' },
    ]);
  });

  test('tells since when a line has had no line feed, and what it is at the end', () => {
    const reader = logLineReader();
    const one = { stream: 'stdout', time: time(1), text: 'last words' };
    const other = { stream: 'stderr', time: time(3), text: 'of two' };
    expect(reader.read(frame(1, `${at(1)} last `))).toEqual({
      lines: [],
      unfinishedSince: time(1),
      rest: [],
    });
    reader.read(frame(1, `${at(2)} words`));
    reader.read(frame(2, `${at(3)} of two`));
    expect(reader.end()).toEqual({ lines: [], unfinishedSince: time(1), rest: [one, other] });
    expect(reader.read(frame(1, `${at(4)} \n`))).toMatchObject({ lines: [one], unfinishedSince: time(3) });
  });

  test('puts characters together of which two entries have a part each', () => {
    const bytes = Buffer.from(`ü😀`);
    for (let cut = 1; cut < bytes.length; cut++) {
      const entry = (part: Buffer, end: string) =>
        Buffer.concat([frame(1, `${at(1)} `), part, Buffer.from(end)]).fill(0, 4, 8);
      const frames = [entry(bytes.subarray(0, cut), ''), entry(bytes.subarray(cut), '\n')].map((one) => {
        one.writeUInt32BE(one.length - 8, 4);
        return one;
      });
      expect(
        logLineReader()
          .read(Buffer.concat(frames))
          .lines.map(({ text }) => text),
      ).toEqual(['ü😀']);
    }
  });

  test.each(['x', 'ü', '€', '😀'])(
    'hands a line without end out in parts, between characters: %s',
    (unit) => {
      const reader = logLineReader();
      const entry = unit.repeat(16_384 / Buffer.byteLength(unit));
      const held = () => reader.end().rest.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
      const parts = Array.from({ length: 200 }, () => {
        const { lines } = reader.read(frame(1, `${at(1)} ${entry}`));
        expect(held()).toBeLessThanOrEqual(4 * 262_118);
        return lines;
      }).flat();
      parts.push(...reader.read(frame(1, `${at(1)} end\n`)).lines);
      expect(parts.map(({ part }) => part)).toEqual([undefined, 1, 2, 3].slice(0, parts.length));
      expect(parts.length).toBeGreaterThan(3);
      expect(new Set(parts.map(({ time: one }) => one))).toEqual(new Set([time(1)]));
      expect(parts.map(({ text }) => text).join('') === `${entry.repeat(200)}end`).toBe(true);
      const [next] = reader.read(frame(1, `${at(2)} next\n`)).lines;
      expect(next).toEqual({ stream: 'stdout', time: time(2), text: 'next' });
    },
  );

  test('has times that compare exactly', () => {
    expect(
      nanoseconds('2026-11-21T10:00:00.123456789Z') - nanoseconds('2026-11-21T10:00:00.123456788Z'),
    ).toBe(1n);
    expect(nanoseconds('2026-11-21T11:00:00.5+01:00')).toBe(nanoseconds('2026-11-21T10:00:00.500000000Z'));
  });
});

describe("the engine's address", () => {
  test.each([
    [{ DOCKER_HOST: 'unix:///run/x.sock' }, 'unix:///run/x.sock'],
    [{ DOCKER_HOST: 'tcp://127.0.0.1:2375' }, 'tcp://127.0.0.1:2375'],
    [{ DOCKER_HOST: 'tcp://example.com' }, 'tcp://example.com:2375'],
    [{ DOCKER_HOST: 'tcp://example.com', DOCKER_TLS_VERIFY: '1' }, 'tcp://example.com:2376'],
  ])('is what %o says', (env, expected) => {
    expect(dockerHost(engineAddress(env))).toBe(expected);
  });

  test('is refused where nothing can be done with it', () => {
    expect(() => engineAddress({ DOCKER_HOST: 'ssh://me@host' })).toThrow('ssh://me@host');
  });
});

describe('the engine', () => {
  const engine = createEngine(engineAddress(process.env));
  afterAll(() => engine.close());

  test('runs a container and gives its log and its exit code', async () => {
    makeImage();
    const id = await engine.create(`engine-test-${process.pid}`, {
      Image: image,
      Cmd: ['/bin/sh', '-c', 'echo out; head -c 40000 /dev/zero | tr "\\0" x; echo; exit 5'],
      Labels: { 'slipway.test': String(process.pid) },
    });
    await engine.start(id);
    const lines = [];
    for await (const batch of engine.followLog(id)) lines.push(...batch.lines);
    expect(lines.map((line) => line.text.length)).toEqual([3, 40_000]);
    expect(await engine.wait(id)).toBe(5);
    expect((await engine.inspect(id))?.State.ExitCode).toBe(5);
    expect(await engine.list({ 'slipway.test': String(process.pid) })).toMatchObject([{ Id: id }]);
    await engine.remove(id);
    await engine.remove(id);
    await engine.stop(id, 1);
    expect(await engine.inspect(id)).toBeUndefined();
  });

  test('says what it refuses in its own words', async () => {
    await expect(engine.create('no', { Image: 'slipway-test/none:1' })).rejects.toMatchObject({
      status: 404,
    });
    await expect(engine.pull('127.0.0.1:9/none/none:1')).rejects.toThrow(/connection refused/);
    const nobody = createEngine({ kind: 'unix', socketPath: '/nowhere.sock' });
    await expect(nobody.info()).rejects.toThrow(EngineError);
  });
});
