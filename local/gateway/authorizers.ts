/** Lambda authorizers with simple responses, their answers kept for the declared time. */
import type { Cloud } from '../platform.ts';
import type { Authorizer } from './declared.ts';
import type { BaseEvent } from './event.ts';
import { within } from './within.ts';

/** `unauthorized`: 401 of the gateway; `forbidden`: 403; `failed`: 500; `late`: the authorizer took too long. */
export type Decision = { context: object } | 'unauthorized' | 'forbidden' | 'failed' | 'late';

const cacheLimit = 10_000;
const answerLimitMs = 10_000;

export class Authorizers {
  private readonly cloud: Pick<Cloud, 'invokeFunction' | 'log' | 'region' | 'accountId'>;
  private readonly cache = new Map<string, { decision: Decision; until: number }>();
  /** Requests of one identity that come while the authorizer is being asked share its answer, where answers are kept. */
  private readonly asked = new Map<string, Promise<Decision>>();

  constructor(cloud: Pick<Cloud, 'invokeFunction' | 'log' | 'region' | 'accountId'>) {
    this.cloud = cloud;
  }

  async decide(authorizer: Authorizer, event: BaseEvent, apiId: string): Promise<Decision> {
    const identity = authorizer.identityHeaders.map((name) => event.headers[name] ?? '');
    // Without its identity the request isn't worth an invocation: API Gateway answers at once.
    if (identity.includes('')) return 'unauthorized';
    const key = JSON.stringify([authorizer.id, ...identity]);
    const now = performance.now();
    const cached = this.cache.get(key);
    if (cached && cached.until > now) return cached.decision;
    if (authorizer.ttlSeconds === 0) return this.ask(authorizer, event, identity, apiId);
    const asked = this.asked.get(key);
    if (asked) return asked;
    const asking = this.ask(authorizer, event, identity, apiId).finally(() => this.asked.delete(key));
    this.asked.set(key, asking);
    const decision = await asking;
    if (decision !== 'failed' && decision !== 'late') {
      if (this.cache.size >= cacheLimit) this.cache.clear();
      this.cache.set(key, { decision, until: now + authorizer.ttlSeconds * 1000 });
    }
    return decision;
  }

  private async ask(
    authorizer: Authorizer,
    event: BaseEvent,
    identitySource: string[],
    apiId: string,
  ): Promise<Decision> {
    const { method, path } = event.requestContext.http;
    const place = `arn:aws:execute-api:${this.cloud.region}:${this.cloud.accountId}:${apiId}`;
    const request = {
      ...event,
      type: 'REQUEST',
      routeArn: `${place}/$default/${method}${path}`,
      identitySource,
    };
    const invoker = {
      service: 'apigateway.amazonaws.com',
      sourceArn: `${place}/authorizers/${authorizer.id}`,
    };
    const result = await within(answerLimitMs, (onStart) =>
      this.cloud.invokeFunction(authorizer.functionArn, request, invoker, onStart),
    );
    if (result === 'late') return 'late';
    const { payload, functionError } = result;
    const answer = payload as {
      isAuthorized?: unknown;
      context?: object;
      errorMessage?: string;
      errorType?: string;
    } | null;
    if (functionError) {
      if (answer?.errorMessage === 'Unauthorized') return 'unauthorized';
      if (answer?.errorType === 'Sandbox.Timedout') return 'late';
      this.cloud.log('gateway', `authorizer failed: ${JSON.stringify(answer).slice(0, 500)}`);
      return 'failed';
    }
    if (typeof answer?.isAuthorized !== 'boolean') return 'failed';
    return answer.isAuthorized ? { context: answer.context ?? {} } : 'forbidden';
  }
}
