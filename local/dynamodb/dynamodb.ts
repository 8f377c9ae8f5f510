/** Amazon DynamoDB: policies are evaluated per item and action, then the engine answers. */
import type { Cloud, DeclaredResource, JsonCall, RestAnswer, Service } from '../platform.ts';
import { accessesOf } from './access.ts';
import { type DynamoEngine, startEngine } from './engine.ts';
import { IndexLag } from './index-lag.ts';
import { deployTables, keysOf, tableArn, tableTypes } from './tables.ts';

export interface DynamoOptions {
  /** A DynamoDB endpoint to use in place of our own engine. */
  endpoint?: string;
  /** How long global indexes lag behind; 0 switches it off. */
  indexLagMs?: number;
}

export function createDynamoDb(cloud: Cloud, { endpoint, indexLagMs = 200 }: DynamoOptions = {}): Service {
  let keys = new Map<string, string[]>();
  const lag = new IndexLag(indexLagMs, (table) => keys.get(table));
  let engine: DynamoEngine | undefined;

  const partitionKeyOf = (table: string, index?: string) =>
    keys.get(index ? `${table}/${index}` : table)?.[0];

  function authorize(call: JsonCall): void {
    const enclosing = { 'dynamodb:EnclosingOperation': call.operation };
    for (const { action, table, index, leadingKeys } of accessesOf(
      call.operation,
      call.input,
      partitionKeyOf,
    )) {
      const arn = table === '*' ? '*' : tableArn(cloud, index ? `${table}/index/${index}` : table);
      const context =
        leadingKeys.length > 0 ? { ...enclosing, 'dynamodb:LeadingKeys': leadingKeys } : enclosing;
      call.authorize(`dynamodb:${action}`, arn, context);
    }
  }

  return {
    signingName: 'dynamodb',
    resourceTypes: tableTypes,
    async deploy(resources: DeclaredResource[]) {
      keys = keysOf(resources);
      if (keys.size === 0) return;
      engine ??= await startEngine(cloud, endpoint);
      await deployTables(engine, resources);
    },
    async stop() {
      await engine?.stop();
    },
    async serveJson(call: JsonCall): Promise<RestAnswer> {
      authorize(call);
      if (!engine) throw new Error('no table is declared, so no DynamoDB engine runs');
      const answer = await engine.call(call.operation, call.rawBody);
      if (answer.status >= 300) return answer;
      const now = cloud.now().getTime();
      lag.note(call.operation, call.input, now);
      const stripped = lag.strip(call.input, answer.body, now);
      return stripped
        ? { status: 200, headers: { 'content-type': 'application/x-amz-json-1.0' }, body: stripped }
        : answer;
    },
  };
}
