/** Size and import time of every function's bundle beside a bundle that only creates the same SDK clients. */
import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { bundleOptions } from '../infra/bundles.ts';
import { run } from '../scripts/command.ts';
import { kB, median, ms, type Row, type Section } from './report.ts';

const imports = 15;
const sizeGoal = 200_000;

export async function bundles(): Promise<Section> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-bundles-'));
  try {
    await copyFile('infra/stages/local.json', join(folder, 'stage.json'));
    const names = (await readdir('functions')).sort();
    const rows: Row[] = [];
    for (const name of names) {
      const whole = await bundle(`functions/${name}/handler.ts`, join(folder, `${name}.mjs`));
      const entry = join(folder, `${name}-clients.ts`);
      await writeFile(entry, clientsOnly(whole.metafile));
      const clients = await bundle(entry, join(folder, `${name}-clients.mjs`));
      const times = { whole: [] as number[], clients: [] as number[] };
      for (let i = 0; i < imports; i++) {
        times.whole.push(await importTime(join(folder, `${name}.mjs`)));
        times.clients.push(await importTime(join(folder, `${name}-clients.mjs`)));
      }
      const above = whole.bytes - sdkBytes(whole.metafile);
      const hasClients = sdkBytes(whole.metafile) > 0;
      const ratio = median(times.whole) / median(times.clients);
      rows.push({
        what: name,
        measured: `${kB(whole.bytes)}, import ${ms(median(times.whole))}`,
        beside: hasClients
          ? `clients only ${kB(clients.bytes)}, ${ms(median(times.clients))}; ${kB(above)} above the SDK, ${ratio.toFixed(2)}×`
          : `no SDK; ${kB(above)}`,
        goal: hasClients ? '≤ 200 kB above, ≤ 1.5×' : '≤ 200 kB',
        met: above <= sizeGoal && (!hasClients || ratio <= 1.5),
      });
    }
    return {
      title: 'Bundles',
      how: `Minified; import time is what \`import()\` takes in a fresh process with the function's environment, ${imports} in turn, medians. “Above the SDK” are all bytes of the bundle outside the SDK's packages.`,
      rows,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function bundle(entry: string, outfile: string): Promise<{ bytes: number; metafile: Metafile }> {
  const { metafile } = await build({ ...bundleOptions, entryPoints: [entry], outfile, metafile: true });
  const [bytes = 0] = Object.values(metafile.outputs).map((output) => output.bytes);
  return { bytes, metafile };
}

/** Bytes of the SDK and of what only it depends on. */
function sdkBytes({ outputs }: Metafile): number {
  const sdk =
    /node_modules\/(@aws-sdk|@smithy|@aws-crypto|@aws|mnemonist|obliterator|bowser|fast-xml-parser|strnum)\//;
  return Object.values(outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .reduce((sum, [path, { bytesInOutput }]) => sum + (sdk.test(path) ? bytesInOutput : 0), 0);
}

/** Source text that creates a client of each SDK package that `metafile` has, and nothing more. */
function clientsOnly(metafile: Metafile): string {
  const found = Object.keys(metafile.inputs).flatMap(
    (path) => /@aws-sdk\/((?:client|lib)-[a-z0-9-]+)\//.exec(path)?.[1] ?? [],
  );
  const used = new Set(found);
  const presigns = Object.keys(metafile.inputs).some((path) =>
    path.includes('@aws-sdk/s3-request-presigner/'),
  );
  const lines = [...used].sort().map((one) => {
    const at = JSON.stringify(resolve('node_modules/@aws-sdk', one));
    if (one === 'lib-dynamodb')
      return `import { DynamoDBDocumentClient } from ${at}; import { DynamoDBClient as Base } from ${JSON.stringify(resolve('node_modules/@aws-sdk/client-dynamodb'))}; globalThis.documents = DynamoDBDocumentClient.from(new Base({}));`;
    const client = clientClass[one];
    if (!client) throw new Error(`bench/bundles.ts does not know the client of ${one}`);
    return `import { ${client} } from ${at}; globalThis[${JSON.stringify(one)}] = new ${client}({});`;
  });
  if (presigns)
    lines.push(
      `import { getSignedUrl } from ${JSON.stringify(resolve('node_modules/@aws-sdk/s3-request-presigner'))}; globalThis.sign = getSignedUrl;`,
    );
  // A function without any client stands beside an empty module.
  return `${lines.join('\n')}\nexport {};\n`;
}

const clientClass: Record<string, string> = {
  'client-batch': 'BatchClient',
  'client-cloudwatch-logs': 'CloudWatchLogsClient',
  'client-codebuild': 'CodeBuildClient',
  'client-cognito-identity-provider': 'CognitoIdentityProviderClient',
  'client-dynamodb': 'DynamoDBClient',
  'client-ecr': 'ECRClient',
  'client-s3': 'S3Client',
  'client-secrets-manager': 'SecretsManagerClient',
  'client-sesv2': 'SESv2Client',
  'client-sfn': 'SFNClient',
};

/** Whatever a function checks in its environment at import time, present and well-formed. */
const environment = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
  TABLE_NAME: 'bench',
  ARTIFACTS_BUCKET: 'bench',
  BUILD_PROJECT: 'bench',
  BUILD_LOG_GROUP: '/bench',
  JOB_LOG_GROUP: '/bench',
  STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:000000000000:stateMachine:bench',
  ROLE_ARN_PREFIX: 'arn:aws:iam::000000000000:role/bench-',
  TOKEN_KEY_SECRET_ARN: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:bench-AbCdEf',
  AUTH_ISSUER: 'https://issuer.example',
  AUTH_AUDIENCE: 'bench',
  ECR_REGISTRY: '000000000000.dkr.ecr.us-east-1.amazonaws.com',
  API_URL: 'https://api.example',
};

async function importTime(file: string): Promise<number> {
  const script = `const start = performance.now(); await import(${JSON.stringify(file)}); console.log(performance.now() - start); process.exit()`;
  const output = await run(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...environment, LAMBDA_TASK_ROOT: dirname(file) },
  });
  return Number(output.trim().split('\n').at(-1));
}
