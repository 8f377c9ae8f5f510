/** Global indexes follow their table a moment later: what was written just now isn't in their answers yet. */

// biome-ignore lint/suspicious/noExplicitAny: wire input
type Input = any;
type Item = Record<string, Record<string, unknown>>;

const written: Record<string, (input: Input) => [table: string, item: Item][]> = {
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
  private readonly keysOf: (table: string) => string[] | undefined;
  private readonly recent = new Map<string, number>();

  /** @param keysOf a table's key attributes */
  constructor(lagMs: number, keysOf: (table: string) => string[] | undefined) {
    this.lagMs = lagMs;
    this.keysOf = keysOf;
  }

  private name(table: string, item: Item): string {
    return JSON.stringify([table, ...(this.keysOf(table) ?? []).map((attribute) => item[attribute])]);
  }

  /** Remembers what a successful operation wrote. */
  note(operation: string, input: Input, nowMs: number): void {
    const reader = this.lagMs > 0 ? written[operation] : undefined;
    if (!reader) return;
    for (const [name, writtenAt] of this.recent) {
      if (writtenAt + this.lagMs > nowMs) break;
      this.recent.delete(name);
    }
    for (const [table, item] of reader(input)) {
      const name = this.name(table, item);
      // Deleted first, so that the map stays in the order of writing.
      this.recent.delete(name);
      this.recent.set(name, nowMs);
    }
  }

  /** The answer of an index query without what was written in the last moment; undefined when nothing changes. */
  strip(input: Input, body: Buffer, nowMs: number): Buffer | undefined {
    if (this.lagMs === 0 || this.recent.size === 0 || !input.IndexName) return undefined;
    const output = JSON.parse(body.toString('utf8')) as { Items?: Item[]; Count?: number };
    const items = output.Items?.filter((item) => {
      const writtenAt = this.recent.get(this.name(input.TableName, item));
      return writtenAt === undefined || writtenAt + this.lagMs <= nowMs;
    });
    if (!items || items.length === output.Items?.length) return undefined;
    return Buffer.from(JSON.stringify({ ...output, Items: items, Count: items.length }));
  }
}
