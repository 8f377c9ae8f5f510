/** I10: starts an image as Kubeflow starts notebooks, and looks at what it does. */
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NotebookResult } from '../../shared/model/validation.ts';
import { inShell, limits } from './arguments.ts';
import type { Engine } from './container.ts';
import { type Answer, type Attempt, contract, judge, type Observed, type UserFound } from './judge.ts';

const startSeconds = 60;
/** A server that is still starting may answer 404 or 503 for a while. */
const patienceSeconds = 5;
const answerSeconds = 5;
const mostRedirects = 5;

export interface NotebookNames {
  emptyHome: string;
  ownHome: string;
  user: string;
}

export async function checkNotebook(
  engine: Engine,
  image: string,
  names: NotebookNames,
  say: (line: string) => void,
): Promise<NotebookResult> {
  const user = await findUser(engine, image, names.user);
  say('notebook: starting with an empty home');
  const volume = emptyVolume(typeof user === 'string' ? String(contract.uid) : user.uid);
  const emptyHome = await start(engine, image, names.emptyHome, volume, say);
  let ownHome: Attempt | undefined;
  if (emptyHome.exitCode !== undefined) {
    say('notebook: starting with the files of the image at home');
    ownHome = await start(engine, image, names.ownHome, [], say);
  }
  const observed: Observed = { emptyHome, ...(ownHome ? { ownHome } : {}), user };
  const result = judge(observed);
  for (const { code, passed, evidence } of result.points)
    say(`notebook: ${passed ? 'pass' : 'FAIL'} ${code}: ${evidence}`);
  return result;
}

/**
 * Empty and writable, as Kubeflow mounts it. It belongs to whoever the image runs as: where the image has a folder
 * there, the engine gives the volume that folder's mode, and a group's right to write would be lost.
 */
const emptyVolume = (uid: string) => [
  '--tmpfs',
  `${contract.home}:rw,exec,nosuid,nodev,uid=${uid},gid=100,mode=2775,size=512m`,
  '--group-add',
  '100',
];

async function start(
  engine: Engine,
  image: string,
  name: string,
  volume: string[],
  say: (line: string) => void,
): Promise<Attempt> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const started = await engine.run([
    'run',
    '--detach',
    '--name',
    name,
    ...limits,
    ...volume,
    // On a port that the engine chooses: no two checks are in each other's way.
    '--publish',
    `127.0.0.1::${contract.port}`,
    '--env',
    `NB_PREFIX=${contract.prefix}`,
    image,
  ]);
  if (started.exitCode !== 0)
    return { exitCode: started.exitCode, seconds: seconds(), lastLine: started.lines.at(-1) ?? '' };
  let answer: Answer | undefined;
  let settledAt = startSeconds;
  let exitCode: number | undefined;
  for (let port: number | undefined; seconds() < settledAt; await sleep(250)) {
    exitCode = await endOf(engine, name);
    if (exitCode !== undefined) break;
    port ??= await portOf(engine, name);
    const heard = port === undefined ? undefined : await ask(port, seconds);
    if (!heard) continue;
    if (!answer) settledAt = Math.min(startSeconds, seconds() + patienceSeconds);
    answer = heard;
    if (heard.status < 400) break;
  }
  const { lines } = await engine.run(['logs', '--tail', '20', name]);
  for (const line of lines) say(`notebook: | ${line}`);
  const lastLine = lines.findLast((line) => line.trim() !== '') ?? '';
  return {
    seconds: seconds(),
    lastLine,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(answer ? { answer } : {}),
  };
}

/** Exit code of a container that has ended. */
async function endOf(engine: Engine, name: string): Promise<number | undefined> {
  const { lines } = await engine.run(['inspect', '-f', '{{.State.Running}} {{.State.ExitCode}}', name]);
  const [, running, code] = /^(true|false) (\d+)$/.exec(lines[0] ?? '') ?? [];
  return running === 'false' ? Number(code) : undefined;
}

async function portOf(engine: Engine, name: string): Promise<number | undefined> {
  const { lines } = await engine.run(['port', name, String(contract.port)]);
  const [, port] = /^127\.0\.0\.1:(\d+)$/.exec(lines[0] ?? '') ?? [];
  return port === undefined ? undefined : Number(port);
}

/** Nothing where nobody answers yet. Redirects are followed as long as they stay below the prefix. */
async function ask(port: number, seconds: () => number): Promise<Answer | undefined> {
  let path = `${contract.prefix}/`;
  for (let hops = 0; ; hops++) {
    const heard = await get(port, path);
    if (!heard) return undefined;
    const answer: Answer = {
      path,
      status: heard.status,
      allowOrigin: heard.allowOrigin,
      afterSeconds: seconds(),
    };
    if (heard.location === undefined || hops >= mostRedirects) return answer;
    const next = new URL(heard.location, `http://127.0.0.1:${port}${path}`);
    if (!`${next.pathname}/`.startsWith(`${contract.prefix}/`)) return { ...answer, leaves: next.pathname };
    path = next.pathname + next.search;
  }
}

function get(
  port: number,
  path: string,
): Promise<{ status: number; allowOrigin: string | undefined; location: string | undefined } | undefined> {
  return new Promise((resolve) => {
    const asking = request(
      {
        host: '127.0.0.1',
        port,
        path,
        headers: { origin: 'http://slipway.example' },
        timeout: answerSeconds * 1000,
      },
      (answer) => {
        answer.destroy();
        const status = answer.statusCode ?? 0;
        const { location } = answer.headers;
        resolve({
          status,
          allowOrigin: answer.headers['access-control-allow-origin'],
          location: status >= 300 && status < 400 ? location : undefined,
        });
      },
    );
    asking.on('timeout', () => asking.destroy(new Error('no answer')));
    // Nobody listens yet, or what listens speaks no HTTP: asked again while there is time.
    asking.on('error', () => resolve(undefined));
    asking.end();
  });
}

/** POSIX: user id, name and home as programs in the container see them. */
const userScript = `id -u; id -un 2>/dev/null || echo; printf '%s\\n' "$HOME"`;

async function findUser(engine: Engine, image: string, name: string): Promise<UserFound | string> {
  const { exitCode, lines } = await engine.run(inShell(name, image, userScript));
  const [uid = '', user = '', home = ''] = lines;
  if (exitCode === 0 && /^\d+$/.test(uid)) return { uid, name: user, home };
  return `The container could not be asked, since it has no /bin/sh with id: ${lines.at(-1) ?? 'it says nothing'}`;
}
