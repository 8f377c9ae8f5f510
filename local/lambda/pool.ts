/** The environments of all functions: who is idle, who waits, who is starting. */
import { availableParallelism } from 'node:os';
import { AwsError, type Cloud } from '../platform.ts';
import type { FunctionConfig } from './declared.ts';
import { Environment, type Outcome } from './environment.ts';
import { accountConcurrency } from './limits.ts';

/** Reaped when idle for so long; one that was used again and again meanwhile stays. */
const idleLimitMs = 60_000;
/** Beyond so many, idle environments go sooner: each holds some 80 MB. */
const warmLimit = 1;
const surplusIdleLimitMs = 15_000;

interface Waiting {
  take(environment: Environment): void;
  fail(outcome: Outcome): void;
}

class FunctionPool {
  readonly idle: Environment[] = [];
  readonly all = new Set<Environment>();
  private readonly waiting: Waiting[] = [];
  private starting = 0;
  private readonly config: FunctionConfig;
  private readonly cloud: Cloud;

  constructor(config: FunctionConfig, cloud: Cloud) {
    this.config = config;
    this.cloud = cloud;
  }

  async run(event: string, requestId: string): Promise<Outcome> {
    const environment = await this.acquire();
    if (!(environment instanceof Environment)) return environment;
    const outcome = await environment.invoke(event, requestId);
    this.giveBack(environment);
    return outcome;
  }

  private acquire(): Environment | Promise<Environment | Outcome> {
    for (let one = this.idle.pop(); one; one = this.idle.pop()) {
      if (one.isUsable()) return one;
      this.drop(one);
    }
    return new Promise((resolve) => {
      this.waiting.push({ take: resolve, fail: resolve });
      this.startWhatIsMissing();
    });
  }

  /** A waiting invocation takes whatever comes first: a new environment or one that another has finished with. */
  private startWhatIsMissing(): void {
    const atOnce = Math.max(2, availableParallelism());
    while (this.starting < Math.min(this.waiting.length, atOnce)) {
      this.starting += 1;
      void this.startOne();
    }
  }

  private async startOne(): Promise<void> {
    try {
      const environment = new Environment(this.config, this.cloud);
      this.all.add(environment);
      const initError = await environment.ready;
      this.starting -= 1;
      if (!initError) return this.giveBack(environment);
      this.all.delete(environment);
      this.waiting.shift()?.fail(initError);
    } catch (error) {
      this.starting -= 1;
      const message = error instanceof Error ? error.message : String(error);
      this.waiting.shift()?.fail({
        body: JSON.stringify({ errorType: 'Sandbox.Failure', errorMessage: message }),
        failed: true,
      });
    }
    this.startWhatIsMissing();
  }

  private giveBack(environment: Environment): void {
    if (environment.isUsable()) {
      const next = this.waiting.shift();
      if (next) next.take(environment);
      else this.idle.push(environment);
    } else this.drop(environment);
    this.startWhatIsMissing();
  }

  drop(environment: Environment): void {
    this.all.delete(environment);
    const index = this.idle.indexOf(environment);
    if (index >= 0) this.idle.splice(index, 1);
    environment.end();
  }
}

export class Pools {
  private readonly byFunction = new Map<FunctionConfig, FunctionPool>();
  private readonly cloud: Cloud;
  private running = 0;

  constructor(cloud: Cloud) {
    this.cloud = cloud;
  }

  /** @throws AwsError `TooManyRequestsException` (429) beyond the account's concurrency */
  async run(config: FunctionConfig, event: string, requestId: string): Promise<Outcome> {
    if (this.running >= accountConcurrency)
      throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429);
    let pool = this.byFunction.get(config);
    if (!pool) {
      pool = new FunctionPool(config, this.cloud);
      this.byFunction.set(config, pool);
    }
    this.running += 1;
    try {
      return await pool.run(event, requestId);
    } finally {
      this.running -= 1;
    }
  }

  /** Ends environments that nobody needed lately; the least recently used of a surplus first. */
  reap(): void {
    const now = this.cloud.now().getTime();
    const idle = [...this.byFunction.values()]
      .flatMap((pool) => pool.idle.map((environment) => ({ pool, environment })))
      .sort((a, b) => b.environment.idleSince - a.environment.idleSince);
    idle.forEach(({ pool, environment }, rank) => {
      const idleMs = now - environment.idleSince;
      if (idleMs > idleLimitMs || (rank >= warmLimit && idleMs > surplusIdleLimitMs)) pool.drop(environment);
    });
  }

  async endAll(): Promise<void> {
    const all = [...this.byFunction.values()].flatMap((pool) =>
      [...pool.all].map((environment) => ({ pool, environment })),
    );
    for (const { pool, environment } of all) pool.drop(environment);
    await Promise.all(all.map(({ environment }) => environment.gone));
  }
}
