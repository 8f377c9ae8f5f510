/** The environments of all functions: which are idle, what waits for one, how many there may be. */
import { AwsError, type Cloud } from '../platform.ts';
import type { Capacity } from './capacity.ts';
import type { FunctionConfig } from './declared.ts';
import { Environment, type Outcome } from './environment.ts';
import { accountConcurrency } from './limits.ts';

/** Reaped when idle for so long; one that was used again and again meanwhile stays. */
const idleLimitMs = 60_000;
/** Beyond so many, idle environments go sooner: each holds some 80 MB. */
const warmLimit = 1;
const surplusIdleLimitMs = 15_000;
/** On a full machine a function that has waited so much longer gets another's place: a start costs more than most requests. */
const turnMs = 1000;

interface Waiting {
  since: number;
  take(environment: Environment | Outcome): void;
  refuse(error: AwsError): void;
}

/** One function's environments, and the invocations that wait for one, the longest first. */
interface FunctionPool {
  config: FunctionConfig;
  idle: Environment[];
  all: Set<Environment>;
  waiting: Set<Waiting>;
  starting: number;
}

const tooMany = (): AwsError => new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429);
const stopping = (): AwsError => new AwsError('ServiceException', 'The embedded cloud is stopping.', 500);

export class Pools {
  private readonly byFunction = new Map<FunctionConfig, FunctionPool>();
  private readonly cloud: Cloud;
  private readonly capacity: Capacity;
  private running = 0;
  private isEnding = false;

  constructor(cloud: Cloud, capacity: Capacity) {
    this.cloud = cloud;
    this.capacity = capacity;
  }

  /**
   * Runs one invocation in an environment of its own. `onStart` is called when its turn has come.
   * @throws AwsError `TooManyRequestsException` (429) beyond the account's concurrency, or where no turn comes in time;
   * `ServiceException` (500) from `endAll` on: what that has ended is no failure of the function
   */
  async run(
    config: FunctionConfig,
    event: string,
    requestId: string,
    onStart?: () => void,
  ): Promise<Outcome> {
    if (this.isEnding) throw stopping();
    if (this.running >= accountConcurrency) throw tooMany();
    this.running += 1;
    try {
      const pool = this.poolOf(config);
      const environment = await this.acquire(pool);
      onStart?.();
      const isReady = environment instanceof Environment;
      const outcome = isReady ? await environment.invoke(event, requestId) : environment;
      if (this.isEnding) throw stopping();
      if (isReady) this.giveBack(pool, environment);
      return outcome;
    } finally {
      this.running -= 1;
    }
  }

  private poolOf(config: FunctionConfig): FunctionPool {
    let pool = this.byFunction.get(config);
    if (!pool) {
      pool = { config, idle: [], all: new Set(), waiting: new Set(), starting: 0 };
      this.byFunction.set(config, pool);
    }
    return pool;
  }

  private acquire(pool: FunctionPool): Environment | Promise<Environment | Outcome> {
    for (let one = pool.idle.pop(); one; one = pool.idle.pop()) {
      if (one.isUsable()) return one;
      this.drop(pool, one);
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(patience);
        pool.waiting.delete(waiting);
      };
      const waiting: Waiting = {
        since: performance.now(),
        take: (environment) => {
          leave();
          resolve(environment);
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      const patience = setTimeout(() => waiting.refuse(tooMany()), this.capacity.patienceMs);
      pool.waiting.add(waiting);
      this.startWhatIsMissing();
    });
  }

  /** A waiting invocation takes whatever comes first: a new environment, or one that another has finished with. */
  private startWhatIsMissing(): void {
    let room = this.capacity.starting - this.sum((pool) => pool.starting);
    for (; room > 0; room -= 1) {
      const pool = this.longestWaiting();
      if (!pool) return;
      if (this.isFull()) {
        const leastUseful = this.idleEnvironments().at(-1);
        if (!leastUseful) return;
        this.drop(leastUseful.pool, leastUseful.environment);
      }
      void this.startOne(pool);
    }
  }

  private async startOne(pool: FunctionPool): Promise<void> {
    pool.starting += 1;
    const started = await this.begin(pool).catch(
      (error: Error): Outcome => ({
        body: JSON.stringify({ errorType: 'Sandbox.Failure', errorMessage: error.message }),
        failed: true,
      }),
    );
    pool.starting -= 1;
    if (started instanceof Environment) return this.giveBack(pool, started);
    first(pool.waiting)?.take(started);
    this.startWhatIsMissing();
  }

  private async begin(pool: FunctionPool): Promise<Environment | Outcome> {
    const environment = new Environment(pool.config, this.cloud);
    pool.all.add(environment);
    const initError = await environment.ready;
    if (!initError) return environment;
    pool.all.delete(environment);
    return initError;
  }

  private giveBack(pool: FunctionPool, environment: Environment): void {
    const next = first(pool.waiting);
    if (!environment.isUsable() || this.isOwedToAnother(pool)) this.drop(pool, environment);
    else if (next) next.take(environment);
    else pool.idle.push(environment);
    this.startWhatIsMissing();
  }

  /** Whether, on a full machine, another function has waited so much longer that it gets this one's place. */
  private isOwedToAnother(pool: FunctionPool): boolean {
    const longest = this.isFull() ? this.longestWaiting() : undefined;
    return longest !== undefined && longest !== pool && waitingSince(pool) - waitingSince(longest) > turnMs;
  }

  /** Of the functions that may have one more environment for an invocation that waits. */
  private longestWaiting(): FunctionPool | undefined {
    return [...this.byFunction.values()]
      .filter(({ starting, waiting, all }) => starting < waiting.size && all.size < this.capacity.perFunction)
      .sort((a, b) => waitingSince(a) - waitingSince(b))[0];
  }

  private isFull(): boolean {
    return this.sum(({ all }) => all.size) >= this.capacity.environments;
  }

  private sum(count: (pool: FunctionPool) => number): number {
    return [...this.byFunction.values()].reduce((sum, pool) => sum + count(pool), 0);
  }

  private drop(pool: FunctionPool, environment: Environment): void {
    pool.all.delete(environment);
    const index = pool.idle.indexOf(environment);
    if (index >= 0) pool.idle.splice(index, 1);
    environment.end();
  }

  /** The most recently used first. */
  private idleEnvironments(): { pool: FunctionPool; environment: Environment }[] {
    return [...this.byFunction.values()]
      .flatMap((pool) => pool.idle.map((environment) => ({ pool, environment })))
      .sort((a, b) => b.environment.idleSince - a.environment.idleSince);
  }

  /** Ends environments that no invocation needed lately; the least recently used of a surplus first. */
  reap(): void {
    const now = performance.now();
    this.idleEnvironments().forEach(({ pool, environment }, rank) => {
      const idleMs = now - environment.idleSince;
      if (idleMs > idleLimitMs || (rank >= warmLimit && idleMs > surplusIdleLimitMs))
        this.drop(pool, environment);
    });
  }

  /** Refuses what waits and what comes, and resolves when no environment is left. */
  async endAll(): Promise<void> {
    this.isEnding = true;
    for (const { waiting } of this.byFunction.values()) for (const one of waiting) one.refuse(stopping());
    const all = [...this.byFunction.values()].flatMap((pool) =>
      [...pool.all].map((environment) => ({ pool, environment })),
    );
    for (const { pool, environment } of all) this.drop(pool, environment);
    await Promise.all(all.map(({ environment }) => environment.gone));
  }
}

const first = <T>(all: ReadonlySet<T>): T | undefined => all.values().next().value;

/** When the invocation that has waited longest began to wait. */
const waitingSince = ({ waiting }: FunctionPool): number => first(waiting)?.since ?? Number.POSITIVE_INFINITY;
