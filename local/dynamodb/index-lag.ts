/**
 * Global indexes follow their table a moment later: for a while their answers show an item as it was before the last
 * write, and not at all where it is new or has moved within the index.
 */
import { AwsError } from '../platform.ts';
import type { TableKeys } from './tables.ts';

// biome-ignore lint/suspicious/noExplicitAny: wire input
type Input = any;
type Item = Record<string, unknown>;

/** An item that an operation is about to write. */
interface Written {
  name: string;
  table: string;
  /** The item as it is before; undefined where there is none. */
  old?: Item;
}

/** Asks the engine; throws AwsError. */
type Ask = (operation: string, input: object) => Promise<Record<string, unknown>>;

const targets: Record<string, (input: Input) => [table: string, item: Item][]> = {
  PutItem: (input) => [[input.TableName, input.Item]],
  UpdateItem: (input) => [[input.TableName, input.Key]],
  DeleteItem: (input) => [[input.TableName, input.Key]],
  BatchWriteItem: (input) =>
    Object.entries(input.RequestItems ?? {}).flatMap(([table, entries]) =>
      (entries as Input[]).map((one): [string, Item] => [
        table,
        one.PutRequest?.Item ?? one.DeleteRequest?.Key,
      ]),
    ),
  TransactWriteItems: (input) =>
    (input.TransactItems ?? []).flatMap((entry: Input) => {
      const one = entry.Put ?? entry.Update ?? entry.Delete;
      return one ? [[one.TableName, one.Item ?? one.Key]] : [];
    }),
};

export class IndexLag {
  private readonly lagMs: number;
  private readonly tables: ReadonlyMap<string, TableKeys>;
  private readonly recent = new Map<string, { until: number; old?: Item }>();

  /** @param tables declared tables; the map may change */
  constructor(lagMs: number, tables: ReadonlyMap<string, TableKeys>) {
    this.lagMs = lagMs;
    this.tables = tables;
  }

  private keyOf(table: string, item: Item): Item {
    const attributes = this.tables.get(table)?.keys ?? [];
    return Object.fromEntries(attributes.map((attribute) => [attribute, item[attribute]]));
  }

  private nameOf(table: string, item: Item): string {
    return JSON.stringify([table, this.keyOf(table, item)]);
  }

  /** What an operation is about to write in tables with global indexes, read before it does. */
  async before(operation: string, input: Input, ask: Ask): Promise<Written[]> {
    const reader = this.lagMs > 0 ? targets[operation] : undefined;
    if (!reader) return [];
    const written = new Map<string, Written & { key: Item }>();
    for (const [table, item] of reader(input)) {
      if (!item || !this.tables.get(table)?.globalIndexes.size) continue;
      const name = this.nameOf(table, item);
      written.set(name, { name, table, key: this.keyOf(table, item) });
    }
    if (written.size === 0) return [];
    const RequestItems: Record<string, { Keys: Item[]; ConsistentRead: true }> = {};
    for (const { table, key } of written.values()) {
      RequestItems[table] ??= { Keys: [], ConsistentRead: true };
      RequestItems[table].Keys.push(key);
    }
    try {
      const { Responses = {} } = (await ask('BatchGetItem', { RequestItems })) as {
        Responses?: Record<string, Item[]>;
      };
      for (const [table, items] of Object.entries(Responses)) {
        for (const old of items) {
          const one = written.get(this.nameOf(table, old));
          if (one) one.old = old;
        }
      }
    } catch (error) {
      // Keys that the engine doesn't take: it will say so about the operation itself.
      if (!(error instanceof AwsError)) throw error;
      return [];
    }
    return [...written.values()];
  }

  /** The writes have succeeded. */
  note(written: Written[], nowMs: number): void {
    for (const [name, { until }] of this.recent) {
      if (until > nowMs) break;
      this.recent.delete(name);
    }
    for (const { name, old } of written) {
      // An item that is written again and again shows what it was before the first of these writes.
      if (!this.recent.has(name)) this.recent.set(name, { until: nowMs + this.lagMs, old });
    }
  }

  /** The answer of an index query as the lagging index gives it; undefined when that is no different. */
  lagged(input: Input, body: Buffer, nowMs: number): Buffer | undefined {
    const indexKeys = this.tables.get(input.TableName)?.globalIndexes.get(input.IndexName);
    if (!indexKeys || this.recent.size === 0) return undefined;
    const output = JSON.parse(body.toString('utf8')) as { Items?: Item[] };
    let isChanged = false;
    const items = output.Items?.flatMap((item) => {
      const recent = this.recent.get(this.nameOf(input.TableName, item));
      if (!recent || recent.until <= nowMs) return [item];
      isChanged = true;
      const { old } = recent;
      if (!old || !sameAttributes(indexKeys, old, item)) return [];
      // Part of an item can't be swapped for part of another without evaluating expressions: the new one stays.
      return input.ProjectionExpression || input.FilterExpression ? [item] : [old];
    });
    return isChanged && items
      ? Buffer.from(JSON.stringify({ ...output, Items: items, Count: items.length }))
      : undefined;
  }
}

const sameAttributes = (attributes: string[], a: Item, b: Item): boolean =>
  attributes.every((attribute) => JSON.stringify(a[attribute]) === JSON.stringify(b[attribute]));
