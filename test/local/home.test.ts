import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lockHome } from '../../local/home-lock.ts';
import { readPrivate, writePrivately } from '../../local/private-file.ts';
import { type RunningCloud, startCloud } from '../../local/start.ts';
import { explainStorage, StorageError } from '../../local/storage-errors.ts';
import { findLocalCloud } from '../../scripts/local-cloud.ts';
import { functionRole, temporaryFolder, writeAssembly } from './assembly.ts';
import { lambdaFunction } from './http-api.ts';

let folder: ReturnType<typeof temporaryFolder>;
let home: string;
let assembly: string;
let running: RunningCloud | undefined;
beforeEach(() => {
  folder = temporaryFolder();
  home = join(folder.path, 'home');
  assembly = join(folder.path, 'cdk.out');
  mkdirSync(assembly);
  writeAssembly(assembly, {
    functions: { answer: 'export const handler = async () => 1;' },
    stacks: {
      main: {
        Resources: {
          FunctionRole: functionRole(),
          Answer: lambdaFunction('answer'),
          Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'files' } },
          Items: {
            Type: 'AWS::DynamoDB::Table',
            Properties: {
              TableName: 'items',
              KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
              AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
            },
          },
        },
      },
    },
  });
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  folder.remove();
});

const start = async () => {
  running = await startCloud({ home, prepare: () => ({ assembly }) });
  return running;
};
const mode = (path: string) => statSync(path).mode & 0o777;
const readableByOthers = () =>
  [home, ...readdirSync(home, { recursive: true }).map((name) => join(home, String(name)))].filter(
    (path) => (statSync(path).mode & 0o077) !== 0,
  );

describe('the state directory is its owner’s alone', () => {
  test.each([
    ['not there yet', undefined],
    ['empty and readable', 0o755],
    ['empty and writable', 0o777],
    ['empty and open to the group', 0o750],
  ])('%s', async (_, before) => {
    if (before !== undefined) {
      mkdirSync(home);
      chmodSync(home, before);
    }
    process.umask(0o022);
    await start();
    expect(readableByOthers()).toEqual([]);
  });

  test('one that an earlier version left open is closed, each file in it', async () => {
    await (await start()).stop();
    chmodSync(home, 0o755);
    for (const name of readdirSync(home)) chmodSync(join(home, name), 0o755);
    process.umask(0o022);
    await start();
    expect(readableByOthers()).toEqual([]);
  });

  test('a directory with other files is refused, and stays as it is', async () => {
    mkdirSync(home);
    writeFileSync(join(home, 'thesis.tex'), '');
    chmodSync(join(home, 'thesis.tex'), 0o644);
    chmodSync(home, 0o755);
    await expect(start()).rejects.toThrow(`${home} is open to other users and holds other files.`);
    expect([mode(home), mode(join(home, 'thesis.tex'))]).toEqual([0o755, 0o644]);
    expect(readdirSync(home)).toEqual(['thesis.tex']);
  });
});

/** Overwrites the middle of a file. */
function damage(path: string): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(Math.floor(statSync(path).size / 2), 7), 0, undefined, 4096);
  closeSync(file);
}

describe('state that can’t be used is said in one line that names the file', () => {
  const garbage = (path: string) => writeFileSync(path, 'no database '.repeat(500));
  test.each<[string, (path: string) => void]>([
    ['cloud.db', garbage],
    ['cloud.db', damage],
    ['lock.db', garbage],
    ['dynamodb.db', garbage],
  ])('%s', async (name, spoil) => {
    await (await start()).stop();
    for (const rest of readdirSync(home).filter((one) => one.startsWith(`${name}-`)))
      rmSync(join(home, rest));
    spoil(join(home, name));
    const error = await start().catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ name: 'StorageError' });
    const { message } = error as Error;
    expect(message).toContain(join(home, name));
    expect(message).toMatch(/Restore the whole directory from a copy/);
    expect(message.split('\n')).toHaveLength(1);
  });

  test('a directory in place of a file with secrets', () => {
    mkdirSync(join(home, 'admin-token'), { recursive: true });
    const file = join(home, 'admin-token');
    const named = new RegExp(`^${file}\\S* can't be opened\\. Check its directory`);
    expect(() => readPrivate(file)).toThrow(named);
    expect(() => writePrivately(file, 'x')).toThrow(named);
    expect(readPrivate(join(home, 'another'))).toBeUndefined();
  });

  test('whatever is said in several lines', () => {
    expect(new StorageError('it is damaged (page 3\n  page 4:\nbroken)').message).toBe(
      'it is damaged (page 3 page 4: broken)',
    );
  });

  test('a file in place of the directory', async () => {
    writeFileSync(home, '');
    await expect(start()).rejects.toThrow(`Could not create ${home}`);
  });

  test('a manifest that is cut off', async () => {
    const file = join(assembly, 'manifest.json');
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, -20));
    await expect(start()).rejects.toThrow(`${file} can't be read`);
  });

  test.each(['', '{"apiUrl": "http', '[]', 'null', '{"apiUrl": 7, "pid": "x"}', '{"pid": -1}'])(
    'local.json: %s',
    async (text) => {
      mkdirSync(home, { mode: 0o700 });
      const file = join(home, 'local.json');
      writeFileSync(file, text);
      const lines: string[] = [];
      expect(await findLocalCloud(home, (line = '') => void lines.push(line))).toBeUndefined();
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain(`${file} can't be read`);
      expect(lines[0]?.split('\n')).toHaveLength(1);
      const release = lockHome(home);
      expect(() => lockHome(home)).toThrow(/^An embedded cloud is already running in /);
      release();
    },
  );

  test.each<[string, string, (db: DatabaseSync) => void]>([
    ['the disk is full', 'Free some space', (db) => db.exec('PRAGMA max_page_count = 2; CREATE TABLE b (x)')],
    [
      'read-only',
      'Give this user write permission',
      (db) => db.exec('PRAGMA query_only = 1; INSERT INTO a VALUES (1)'),
    ],
  ])('SQLite: %s', (_, remedy, work) => {
    const db = new DatabaseSync(':memory:');
    db.exec('CREATE TABLE a (x)');
    let thrown: unknown;
    try {
      work(db);
    } catch (error) {
      thrown = error;
    }
    const { message } = explainStorage(thrown, '/home/cloud.db') as Error;
    expect(message).toMatch(/^\/home\/cloud\.db can't be written/);
    expect(message).toContain(remedy);
    db.close();
  });

  test('what isn’t about storage stays what it is', () => {
    for (const error of [new TypeError('x'), Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'text'])
      expect(explainStorage(error, 'file')).toBe(error);
  });
});
