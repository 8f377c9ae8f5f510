/** The table as `infra/` declares it: benchmarks measure the definition that is deployed, not a copy of it. */
import { readdir, readFile } from 'node:fs/promises';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';

interface Template {
  Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
}

/** Creates the declared table under `name`. Needs a synthesized `cdk.out`. */
export async function createDeclaredTable(client: DynamoDBClient, name: string): Promise<void> {
  for (const file of await readdir('cdk.out')) {
    if (!file.endsWith('.template.json')) continue;
    const template = JSON.parse(await readFile(`cdk.out/${file}`, 'utf8')) as Template;
    const table = Object.values(template.Resources).find(({ Type }) => Type === 'AWS::DynamoDB::Table');
    if (!table) continue;
    const { KeySchema, AttributeDefinitions, GlobalSecondaryIndexes } = table.Properties;
    await client.send(
      new CreateTableCommand({
        TableName: name,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema,
        AttributeDefinitions,
        GlobalSecondaryIndexes,
      } as CreateTableCommandInput),
    );
    return;
  }
  throw new Error('no table in cdk.out: run `npx cdk synth` first');
}
