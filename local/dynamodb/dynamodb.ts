/** Amazon DynamoDB: policies are evaluated per item and action, then the engine answers. */
import { join } from 'node:path';
import type { Cloud, DeclaredResource, JsonCall, RestAnswer, Service } from '../platform.ts';
import { accessesOf } from './access.ts';
import { TransactionConflicts } from './conflicts.ts';
import { type DynamoEngine, startEngine } from './engine.ts';
import { IndexLag } from './index-lag.ts';
import { deployTables, readKeys, type TableKeys, tableArn, tableTypes } from './tables.ts';

const answerType = 'application/x-amz-json-1.0';

/** Operations whose answers name a table by its ARN, and hold no items. */
const describesTable = /^(?:Create|Describe|Update|Delete)Table$/;

/** Engines know neither our region nor our account. */
function withOwnArns(cloud: Cloud, answer: RestAnswer): RestAnswer {
  const body = String(answer.body).replaceAll(
    /"arn:aws:dynamodb:[^:"]*:\d*:table\//g,
    `"${tableArn(cloud, '')}`,
  );
  return { status: answer.status, headers: { 'content-type': answerType }, body };
}

export interface DynamoOptions {
  /** A DynamoDB endpoint to use in place of our own engine. */
  endpoint?: string;
  /** How long global indexes lag behind; 0 switches it off. */
  indexLagMs?: number;
  /** How long a transaction holds its items, so that others that want one are cancelled; 0 switches it off. */
  transactionMs?: number;
}

export function createDynamoDb(
  cloud: Cloud,
  { endpoint, indexLagMs = 200, transactionMs = 0 }: DynamoOptions = {},
): Service {
  const tables = new Map<string, TableKeys>();
  const lag = new IndexLag(indexLagMs, tables);
  const conflicts = new TransactionConflicts(transactionMs, tables);
  let engine: DynamoEngine | undefined;

  const partitionKeyOf = (table: string, index?: string) => {
    const known = tables.get(table);
    const keys = index ? (known?.globalIndexes.get(index) ?? known?.localIndexes.get(index)) : known?.keys;
    return keys?.[0];
  };

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
      tables.clear();
      for (const [name, keys] of readKeys(resources)) tables.set(name, keys);
      if (tables.size === 0) return;
      engine ??= await startEngine(cloud, endpoint);
      await deployTables(engine, resources);
    },
    async stop() {
      await engine?.stop();
    },
    async serveJson(call: JsonCall): Promise<RestAnswer> {
      authorize(call);
      const running = engine;
      if (!running) throw new Error('no template declares a table, so no DynamoDB engine is running');
      const { operation, input } = call;
      const written = await lag.before(operation, input, running.ask);
      const answer = await conflicts.guard(operation, input, () => running.call(operation, call.rawBody));
      if (answer.status >= 500)
        cloud.log('dynamodb', `The engine failed on ${join(cloud.home, 'dynamodb.db')}: ${answer.body}`);
      if (answer.status >= 300) return answer;
      if (describesTable.test(operation)) return withOwnArns(cloud, answer);
      const now = cloud.now().getTime();
      lag.note(written, now);
      const lagged = input.IndexName && lag.lagged(input, answer.body, now);
      return lagged ? { status: 200, headers: { 'content-type': answerType }, body: lagged } : answer;
    },
  };
}
