/** What services share: place, state, identities, and the ways from one service to another. */
import { appendFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Credentials } from './iam/credentials.ts';
import { Roles } from './iam/roles.ts';
import type { Asset, Cloud } from './platform.ts';
import { ProcessGuard } from './process-guard.ts';
import { databaseFile } from './state.ts';
import { steadyTime } from './steady-time.ts';
import { describeError } from './storage-errors.ts';

/** The ways from one service to another; filled in once the services exist. */
export type Hooks = Pick<
  Cloud,
  'publish' | 'appendLogs' | 'invokeFunction' | 'invokeFunctionAsync' | 'readSecret' | 'sendToQueue'
>;

export interface CloudSettings {
  accountId: string;
  region: string;
  home: string;
  endpointUrl: string;
  registryHost: string;
  assets: ReadonlyMap<string, Asset>;
  /** Where lines for the operator go, besides `<home>/cloud.log`. */
  print(line: string): void;
}

export interface CloudCore {
  cloud: Cloud;
  roles: Roles;
  credentials: Credentials;
  connect(hooks: Hooks): void;
  /** Ends the clocks; resolves when no task runs any more. */
  stopClocks(): Promise<void>;
  /** Ends guarded processes that are still there. */
  close(): void;
}

interface Clock {
  stop(): void;
  idle(): Promise<void>;
}

function createClock(
  everyMs: number,
  task: () => Promise<void> | void,
  failed: (error: unknown) => void,
): Clock {
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const turn = async () => {
    try {
      await task();
    } catch (error) {
      failed(error);
    }
    if (!isStopped) schedule();
  };
  const schedule = () => {
    timer = setTimeout(() => {
      running = turn();
    }, everyMs);
  };
  schedule();
  const stop = () => {
    isStopped = true;
    clearTimeout(timer);
  };
  return { stop, idle: () => running };
}

/** A longer log is put aside at the next start. */
const logLimitBytes = 10 * 1024 * 1024;

/** @param db open state; the caller closes it */
export function createCloud(settings: CloudSettings, db: DatabaseSync): CloudCore {
  let hooks: Hooks | undefined;
  const hooked = (): Hooks => {
    if (!hooks) throw new Error('the embedded cloud is not assembled yet');
    return hooks;
  };
  const now = () => new Date();
  const logFile = join(settings.home, 'cloud.log');
  if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > logLimitBytes)
    renameSync(logFile, `${logFile}.old`);
  const log = (source: string, message: string) => {
    const line = `${source}: ${message}`;
    settings.print(line);
    try {
      appendFileSync(logFile, `${now().toISOString()} ${line}\n`);
    } catch (error) {
      // Where the disk is full, the terminal still says so.
      settings.print(describeError(error, logFile));
    }
  };
  const guard = new ProcessGuard(db);
  const roles = new Roles({ accountId: settings.accountId, region: settings.region, now });
  const credentials = new Credentials({ db, now }, roles);
  const clocks = new Set<Clock>();

  const cloud: Cloud = {
    accountId: settings.accountId,
    region: settings.region,
    home: settings.home,
    endpointUrl: settings.endpointUrl,
    registryHost: settings.registryHost,
    assets: settings.assets,
    db,
    now,
    steady: steadyTime,
    log,
    issueCredentials: (roleArn, servicePrincipal, sessionName, durationSeconds) =>
      credentials.issue(roleArn, servicePrincipal, sessionName, durationSeconds),
    credentialsUrl: (roleArn, servicePrincipal, sessionName) =>
      settings.endpointUrl + credentials.path(roleArn, servicePrincipal, sessionName),
    endSession: (sessionName) => credentials.endSession(sessionName),
    hasSessionEnded: (principal) => credentials.hasEnded(principal),
    principalOf: (accessKeyId) => credentials.find(accessKeyId)?.principal,
    authorize: (principal, action, resource, context) =>
      roles.authorize(principal, action, resource, context),
    publish: (event) => hooked().publish(event),
    appendLogs: (group, stream, lines) => hooked().appendLogs(group, stream, lines),
    invokeFunction: (functionArn, payload, invoker, onStart) =>
      hooked().invokeFunction(functionArn, payload, invoker, onStart),
    invokeFunctionAsync: (functionArn, payload, invoker) =>
      hooked().invokeFunctionAsync(functionArn, payload, invoker),
    readSecret: (principal, valueFrom) => hooked().readSecret(principal, valueFrom),
    sendToQueue: (queueArn, body, sender, attributes) =>
      hooked().sendToQueue(queueArn, body, sender, attributes),
    guardProcess: (pid, scope) => guard.guard(pid, scope),
    every(everyMs, name, task) {
      const clock = createClock(everyMs, task, (error) => {
        log(name, describeError(error, databaseFile(settings.home)));
      });
      clocks.add(clock);
      return () => clock.stop();
    },
  };
  return {
    cloud,
    roles,
    credentials,
    connect(given) {
      hooks = given;
    },
    async stopClocks() {
      for (const clock of clocks) clock.stop();
      await Promise.all([...clocks].map((clock) => clock.idle()));
    },
    close: () => guard.close(),
  };
}
