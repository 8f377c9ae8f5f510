/**
 * dynoxide as a child process. It takes any signature, so it must not be found by others: jobs use the host's network.
 * It gets a network namespace of its own where the system allows that.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Agent, type AgentOptions } from 'node:http';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Cloud } from '../platform.ts';
import { freePort } from '../ports.ts';
import { signalProcess } from '../process-guard.ts';

export interface EngineProcess {
  /** Opens connections to the engine. */
  agent: Agent;
  /** With what it said last, where it has ended. */
  hasEnded(): { lastWords: string } | undefined;
  /** Resolves when it has ended, by itself or by `stop`. */
  gone: Promise<void>;
  stop(): Promise<void>;
}

interface Message {
  isReady?: true;
  id?: number;
  failure?: string;
}

const program = fileURLToPath(new URL('../../node_modules/@dynoxide/linux-x64/dynoxide', import.meta.url));
const connector = fileURLToPath(new URL('./connector.mjs', import.meta.url));
const stopLimitMs = 2000;
/** Nothing else listens in a new namespace. */
const portInNamespace = 8000;

/** A new namespace has a loopback interface that is down. */
const withLoopback = [
  '/bin/sh',
  '-c',
  '{ ip link set lo up || ifconfig lo up || busybox ip link set lo up; } && exec "$@"',
  'sh',
];
/** What may open a namespace: root, or anyone where user namespaces are allowed. */
const namespaces = [
  ['unshare', '--net', ...withLoopback],
  ['unshare', '--user', '--map-root-user', '--net', ...withLoopback],
];

class ConnectorAgent extends Agent {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, PromiseWithResolvers<Socket>>();
  private lastId = 0;

  constructor(child: ChildProcess, options: AgentOptions) {
    super(options);
    this.child = child;
    child.on('message', ({ id = 0, failure }: Message, socket) => {
      const opening = this.waiting.get(id);
      this.waiting.delete(id);
      if (socket instanceof Socket) opening?.resolve(socket);
      else opening?.reject(new Error(failure));
    });
    child.once('close', () => this.refuseAll());
  }

  override createConnection(
    _options: object,
    opened: (error: Error | null, socket: Duplex) => void = () => undefined,
  ): undefined {
    this.lastId += 1;
    const opening = Promise.withResolvers<Socket>();
    this.waiting.set(this.lastId, opening);
    opening.promise.then(
      (socket) => opened(null, socket),
      (error: Error) => opened(error, new Socket()),
    );
    this.child.send(this.lastId, (error) => {
      if (error) this.refuseAll();
    });
  }

  private refuseAll(): void {
    for (const { reject } of this.waiting.values()) reject(new Error('The DynamoDB engine has ended.'));
    this.waiting.clear();
  }
}

type Attempt = { child: ChildProcess; lastWords: () => string } | { failure: string };

/** Resolves once the connector runs, or with why it doesn't. */
function attempt(wrapper: string[], port: number, database: string): Promise<Attempt> {
  const engine = [program, 'serve', '--host', '127.0.0.1', '--port', String(port), '--db-path', database];
  const [command = '', ...args] = [...wrapper, process.execPath, connector, String(port), ...engine];
  const child = spawn(command, args, {
    // Its own session: Ctrl-C in the terminal must not end it before those who still write.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let said = '';
  const lastWords = () =>
    said
      .split('\n')
      .filter((line) => line.trim() && !line.startsWith('Dynoxide listening'))
      .join('; ');
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-1000);
  });
  return new Promise((resolve) => {
    child.once('error', ({ message }) => resolve({ failure: message }));
    child.once('close', (code) => resolve({ failure: lastWords() || `exit code ${code}` }));
    child.once('message', ({ failure }: Message) =>
      resolve(failure === undefined ? { child, lastWords } : { failure: `${program}: ${failure}` }),
    );
  });
}

/**
 * @param wrappers commands that run another one in a network namespace of its own, tried in this order
 * @throws Error when the process can't be started
 */
export async function startEngineProcess(cloud: Cloud, wrappers = namespaces): Promise<EngineProcess> {
  const database = join(cloud.home, 'dynamodb.db');
  let reason = '';
  for (const wrapper of wrappers) {
    const outcome = await attempt(wrapper, portInNamespace, database);
    if (!('failure' in outcome)) return supervise(cloud, outcome.child, outcome.lastWords);
    reason = outcome.failure;
  }
  const port = await freePort();
  const outcome = await attempt([], port, database);
  if ('failure' in outcome)
    throw new Error(
      `The DynamoDB engine did not start: ${outcome.failure} (it runs on Linux x64 only: on other systems, set SLIPWAY_DYNAMODB_ENDPOINT)`,
    );
  cloud.log(
    'dynamodb',
    `This system doesn't allow a separate network for the DynamoDB engine (${reason}). The engine listens on 127.0.0.1:${port} without a password: ` +
      'every program on this machine, jobs included, can change the tables. Run only jobs that you trust; docs/security.md says how to allow it.',
  );
  return supervise(cloud, outcome.child, outcome.lastWords);
}

function supervise(cloud: Cloud, child: ChildProcess, lastWords: () => string): EngineProcess {
  const release = child.pid === undefined ? () => undefined : cloud.guardProcess(child.pid, 'group');
  const signal = (name: NodeJS.Signals) => {
    if (child.pid !== undefined) signalProcess(-child.pid, name);
  };
  let ended: { lastWords: string } | undefined;
  const gone = new Promise<void>((resolve) => {
    // An engine without its connector takes no connections, and would keep the next one from the tables.
    child.once('exit', () => signal('SIGKILL'));
    child.once('close', (code, by) => {
      ended = { lastWords: lastWords() || (by ? `ended by ${by}` : `exit code ${code}`) };
      release();
      resolve();
    });
  });
  const agent = new ConnectorAgent(child, { keepAlive: true, maxSockets: 64 });
  return {
    agent,
    hasEnded: () => ended,
    gone,
    async stop() {
      agent.destroy();
      if (!ended) signal('SIGTERM');
      const timer = setTimeout(() => signal('SIGKILL'), stopLimitMs);
      await gone;
      clearTimeout(timer);
    },
  };
}
