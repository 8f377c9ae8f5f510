/** The table as `infra/` declares it: benchmarks measure the definition that is deployed, not a copy of it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';

interface Template {
  Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
}

/** Creates the declared table under `name`. `assembly` is what `cdk synth` made. */
export async function createDeclaredTable(
  client: DynamoDBClient,
  name: string,
  assembly: string,
): Promise<void> {
  for (const file of await readdir(assembly)) {
    if (!file.endsWith('.template.json')) continue;
    const template = JSON.parse(await readFile(join(assembly, file), 'utf8')) as Template;
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
  throw new Error(`${assembly} declares no table`);
}
