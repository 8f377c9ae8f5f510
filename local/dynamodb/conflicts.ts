/** Transactions that meet: DynamoDB doesn't put them in order, it cancels all but the first. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineAnswer } from './engine.ts';
import type { TableKeys } from './tables.ts';

// biome-ignore lint/suspicious/noExplicitAny: wire input
type Input = any;

const singleWrites = new Set(['PutItem', 'UpdateItem', 'DeleteItem']);

export class TransactionConflicts {
  private readonly transactionMs: number;
  private readonly tables: ReadonlyMap<string, TableKeys>;
  private readonly held = new Set<string>();

  /** @param transactionMs how long a transaction holds its items at least; 0: none is ever cancelled */
  constructor(transactionMs: number, tables: ReadonlyMap<string, TableKeys>) {
    this.transactionMs = transactionMs;
    this.tables = tables;
  }

  /** Lets `write` go on, or answers as DynamoDB does where a transaction under way has one of its items. */
  async guard(operation: string, input: Input, write: () => Promise<EngineAnswer>): Promise<EngineAnswer> {
    if (this.transactionMs === 0) return write();
    if (singleWrites.has(operation) && this.held.has(this.nameOf(input)))
      return refusal('TransactionConflictException', { message: 'Transaction is ongoing for the item' });
    if (operation !== 'TransactWriteItems') return write();
    const names = ((input.TransactItems ?? []) as Input[]).map((entry) =>
      this.nameOf(entry.Put ?? entry.Update ?? entry.Delete ?? entry.ConditionCheck ?? {}),
    );
    const codes = names.map((name) => (this.held.has(name) ? 'TransactionConflict' : 'None'));
    if (codes.includes('TransactionConflict')) return cancelled(codes);
    for (const name of names) this.held.add(name);
    try {
      await sleep(this.transactionMs);
      return await write();
    } finally {
      for (const name of names) this.held.delete(name);
    }
  }

  private nameOf({ TableName, Item, Key }: Input): string {
    const attributes = this.tables.get(TableName)?.keys ?? [];
    return JSON.stringify([TableName, ...attributes.map((attribute) => (Item ?? Key)?.[attribute])]);
  }
}

const cancelled = (codes: string[]): EngineAnswer =>
  refusal('TransactionCanceledException', {
    Message: `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes.join(', ')}]`,
    CancellationReasons: codes.map((Code) =>
      Code === 'None' ? { Code } : { Code, Message: 'Transaction is ongoing for the item' },
    ),
  });

const refusal = (name: string, body: object): EngineAnswer => ({
  status: 400,
  headers: { 'content-type': 'application/x-amz-json-1.0' },
  body: Buffer.from(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, ...body })),
});
