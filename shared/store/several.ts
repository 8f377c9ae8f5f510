/** Several items in one call. */
import { BatchGetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Item } from './conditions.ts';
import { pauseAfter } from './contention.ts';

/** Answers in a row that bring nothing. DynamoDB itself throttles before it answers so often without an item. */
const mostInVain = 10;

const nameOf = ({ pk, sk }: Item) => JSON.stringify([pk, sk]);

/** At most 100 keys, each once; answered in their order, strongly consistent one by one. */
export async function getSeveral(
  db: DynamoDBDocumentClient,
  table: string,
  keys: readonly { pk: string; sk: string }[],
): Promise<(Item | undefined)[]> {
  const found = new Map<string, Item>();
  let missing: Record<string, unknown>[] = [...keys];
  for (let inVain = 0; missing.length > 0; ) {
    const { Responses, UnprocessedKeys } = await db.send(
      new BatchGetCommand({ RequestItems: { [table]: { Keys: missing, ConsistentRead: true } } }),
    );
    const items = Responses?.[table] ?? [];
    for (const item of items) found.set(nameOf(item), item);
    // What had no room in the answer, or no capacity at the moment.
    missing = UnprocessedKeys?.[table]?.Keys ?? [];
    inVain = items.length > 0 ? 0 : inVain + 1;
    if (missing.length > 0 && inVain > 0) await pauseAfter(inVain);
    if (missing.length > 0 && inVain >= mostInVain)
      throw new Error(`DynamoDB has no capacity for ${missing.length} items`);
  }
  return keys.map((key) => found.get(nameOf(key)));
}
