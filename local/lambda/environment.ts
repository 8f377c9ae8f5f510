/** One execution environment: a child process with the function's code, frozen whenever nothing runs in it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cloud } from '../platform.ts';
import { signalProcess } from '../process-guard.ts';
import type { FunctionConfig } from './declared.ts';
import { initLimitMs, responseLimitBytes } from './limits.ts';
import { LogLines } from './log-lines.ts';

/** What a finished invocation says; `body` is JSON. */
export interface Outcome {
  body: string;
  failed?: boolean;
}

type Message = Partial<Outcome> & { ready?: true; initError?: string };

const runtimeFolder = fileURLToPath(new URL('./runtime/', import.meta.url));
/** As long as Lambda's own; an environment retires well before. */
const credentialSeconds = 12 * 3600;
const retireAfterMs = (credentialSeconds - 1800) * 1000;
const pageBytes = 4096;

const failed = (errorType: string, errorMessage: string): Outcome => ({
  body: JSON.stringify({ errorType, errorMessage }),
  failed: true,
});

export class Environment {
  readonly ready: Promise<Outcome | undefined>;
  /** By `performance.now()`. */
  idleSince = 0;
  /** Resolves when the process is gone and its last output is logged. */
  readonly gone: Promise<void>;
  private hasEnded = false;
  private isEnding = false;
  private tellGone: () => void = () => undefined;
  private readonly config: FunctionConfig;
  private readonly cloud: Cloud;
  private readonly child: ChildProcess;
  private readonly lines: LogLines;
  private readonly startedAt: number;
  private readonly release: () => void;
  private onMessage: ((message: Message) => void) | undefined;
  private onEnd: (() => void) | undefined;
  private requestId = '';

  constructor(config: FunctionConfig, cloud: Cloud) {
    this.config = config;
    this.cloud = cloud;
    this.startedAt = cloud.now().getTime();
    this.gone = new Promise((resolve) => {
      this.tellGone = resolve;
    });
    const day = cloud.now().toISOString().slice(0, 10).replaceAll('-', '/');
    const stream = `${day}/[$LATEST]${randomUUID().replaceAll('-', '')}`;
    this.lines = new LogLines(config, stream, cloud);
    this.child = spawn(
      process.execPath,
      [
        `--max-old-space-size=${Math.max(64, Math.floor(config.memoryMiB * 0.9))}`,
        `${runtimeFolder}bootstrap.mjs`,
        join(cloud.home, 'compile-cache'),
      ],
      {
        cwd: config.codeFolder,
        env: this.variables(stream),
        // Its own session: the terminal's Ctrl-C is for the embedded cloud, which ends its children itself.
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      },
    );
    this.release =
      this.child.pid === undefined ? () => undefined : cloud.guardProcess(this.child.pid, 'group');
    this.child.stdout?.on('data', (chunk: Buffer) => this.lines.write(chunk));
    this.child.stderr?.on('data', (chunk: Buffer) => this.lines.write(chunk));
    this.child.on('message', (message) => this.onMessage?.(message as Message));
    this.child.on('error', (error) => {
      cloud.log('lambda', `${config.name}: ${error.message}`);
      this.ended();
    });
    this.child.on('close', () => this.ended());
    this.ready = this.initialised();
  }

  private variables(stream: string): Record<string, string> {
    const { config, cloud } = this;
    const credentials = cloud.issueCredentials(
      config.roleArn,
      'lambda.amazonaws.com',
      config.name,
      credentialSeconds,
    );
    return {
      ...config.environment,
      _HANDLER: config.handler,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_DEFAULT_REGION: cloud.region,
      AWS_ENDPOINT_URL: cloud.endpointUrl,
      AWS_EXECUTION_ENV: `AWS_Lambda_${config.runtime}`,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(config.memoryMiB),
      AWS_LAMBDA_FUNCTION_NAME: config.name,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_FORMAT: config.logFormat,
      AWS_LAMBDA_LOG_GROUP_NAME: config.logGroup,
      AWS_LAMBDA_LOG_STREAM_NAME: stream,
      AWS_REGION: cloud.region,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_SESSION_TOKEN: credentials.sessionToken,
      LAMBDA_RUNTIME_DIR: runtimeFolder,
      LAMBDA_TASK_ROOT: config.codeFolder,
      LANG: 'en_US.UTF-8',
      PATH: '/usr/local/bin:/usr/bin:/bin',
      TZ: ':UTC',
    };
  }

  private ended(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.release();
    this.lines.end();
    this.onEnd?.();
    this.tellGone();
  }

  /** Resolves with undefined once the handler is loaded, or with the error that kept it from loading. */
  private initialised(): Promise<Outcome | undefined> {
    return new Promise((resolve) => {
      const settle = (outcome: Outcome | undefined) => {
        clearTimeout(timer);
        this.onMessage = undefined;
        this.onEnd = undefined;
        if (outcome) this.end();
        else this.freeze();
        resolve(outcome);
      };
      // Lambda gives a second try within the invocation's own time; here it is one, as long as the longer.
      const limitMs = Math.max(initLimitMs, this.config.timeoutSeconds * 1000);
      const timer = setTimeout(
        () => settle(failed('Sandbox.Timedout', `Init timed out after ${limitMs / 1000} seconds`)),
        limitMs,
      );
      this.onMessage = ({ initError }) => settle(initError ? { body: initError, failed: true } : undefined);
      this.onEnd = () => settle(failed('Runtime.ExitError', 'Runtime exited during initialisation'));
    });
  }

  /** Whether the environment may take another invocation: its credentials must outlast it. */
  isUsable(): boolean {
    return !this.hasEnded && !this.isEnding && this.cloud.now().getTime() - this.startedAt < retireAfterMs;
  }

  /** Resident memory in MiB; 0 when unknown. */
  private residentMiB(): number {
    try {
      const pages = readFileSync(`/proc/${this.child.pid}/statm`, 'utf8').split(' ')[1];
      return (Number(pages) * pageBytes) / 1024 / 1024;
    } catch {
      // It has just ended, or there is no /proc: then Node's own heap limit is all there is.
      return 0;
    }
  }

  /** Runs one invocation; never rejects. The environment is frozen again, or ended, when it resolves. */
  invoke(event: string, requestId: string): Promise<Outcome> {
    const { config, lines, cloud } = this;
    const startedAt = performance.now();
    this.requestId = requestId;
    lines.add(`START RequestId: ${requestId} Version: $LATEST`);
    return new Promise((resolve) => {
      const settle = (outcome: Outcome, fate: 'freeze' | 'end') => {
        clearTimeout(timeout);
        clearInterval(memory);
        this.onMessage = undefined;
        this.onEnd = undefined;
        if (fate === 'freeze') this.freeze();
        else this.end();
        this.report(startedAt);
        resolve(outcome);
      };
      const timeout = setTimeout(() => {
        const message = `RequestId: ${requestId} Error: Task timed out after ${config.timeoutSeconds.toFixed(2)} seconds`;
        lines.add(
          `${cloud.now().toISOString()} ${requestId} Task timed out after ${config.timeoutSeconds.toFixed(2)} seconds`,
        );
        settle(failed('Sandbox.Timedout', message), 'end');
      }, config.timeoutSeconds * 1000);
      const memory = setInterval(() => {
        if (this.residentMiB() <= config.memoryMiB) return;
        settle(
          failed(
            'Runtime.OutOfMemory',
            `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`,
          ),
          'end',
        );
      }, 250);
      this.onEnd = () => {
        settle(
          failed(
            'Runtime.ExitError',
            `RequestId: ${requestId} Error: Runtime exited without providing a reason`,
          ),
          'end',
        );
      };
      this.onMessage = ({ body = 'null', failed: hasFailed }) => {
        const bytes = Buffer.byteLength(body);
        const tooLarge = `Response payload size (${bytes} bytes) exceeded maximum allowed payload size (${responseLimitBytes} bytes).`;
        const outcome =
          bytes > responseLimitBytes
            ? failed('Function.ResponseSizeTooLarge', tooLarge)
            : { body, failed: hasFailed };
        settle(outcome, 'freeze');
      };
      this.signal('SIGCONT');
      const limitMs = config.timeoutSeconds * 1000;
      this.child.send({ event, requestId, limitMs, functionArn: config.arn }, (error) => {
        // The process ended between two invocations; with a callback, `send` tells instead of throwing.
        if (error) this.onEnd?.();
      });
    });
  }

  private report(startedAt: number): void {
    const { requestId, config } = this;
    const durationMs = Math.round(performance.now() - startedAt);
    this.lines.add(`END RequestId: ${requestId}`);
    this.lines.add(
      `REPORT RequestId: ${requestId}\tDuration: ${durationMs} ms\tBilled Duration: ${durationMs} ms\tMemory Size: ${config.memoryMiB} MB`,
    );
  }

  /** The whole process group, since a handler may have started programs. */
  private signal(name: NodeJS.Signals): void {
    if (!this.hasEnded && this.child.pid !== undefined) signalProcess(-this.child.pid, name);
  }

  private freeze(): void {
    this.idleSince = performance.now();
    this.signal('SIGSTOP');
  }

  end(): void {
    this.isEnding = true;
    this.signal('SIGKILL');
  }
}
