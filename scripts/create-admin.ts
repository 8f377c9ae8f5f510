/**
 * Makes the first admin of an organisation, who invites everybody else, and a token for them. Works on AWS and on the
 * embedded cloud alike, with the operator's credentials; nobody can do this over the API.
 *
 *   node scripts/create-admin.ts --stage production --organisation acme --email ada@acme.example
 *
 * Organisation and address default to the first ones of the stage configuration. Where the deployment has an OIDC
 * issuer of its own, `--subject` names the person's `sub` there. Running it again is harmless: it finds the person,
 * and issues another token (none with `--no-token`).
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createUserPool } from '../shared/aws/user-pool.ts';
import { newId } from '../shared/model/id.ts';
import { type Stage, stageSchema } from '../shared/model/stage.ts';
import { addMember, getMember, type MemberRecord, memberIdOf } from '../shared/store/members.ts';
import { createTable, type Table } from '../shared/store/table.ts';
import { addToken, tokenHash, tokenText } from '../shared/store/tokens.ts';
import { explainAwsError } from './aws-error.ts';
import { type Deployment, readDeployment } from './create-admin/deployment.ts';

const options = {
  stage: { type: 'string', default: process.env.SLIPWAY_STAGE ?? 'local' },
  organisation: { type: 'string' },
  email: { type: 'string' },
  subject: { type: 'string' },
  days: { type: 'string', default: '30' },
  'no-token': { type: 'boolean', default: false },
} as const;

function readStage(name: string): Stage {
  const folder = process.env.SLIPWAY_STAGES ?? join(import.meta.dirname, '..', 'infra/stages');
  const file = join(folder, `${name}.json`);
  if (!existsSync(file)) throw new Error(`There is no stage ${name}: ${file} is missing.`);
  return stageSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
}

async function subjectOf(
  deployment: Deployment,
  email: string,
  subject: string | undefined,
): Promise<string> {
  if (deployment.userPoolId !== undefined) {
    if (subject !== undefined)
      throw new Error('Omit --subject: this stage has a user pool, which assigns it.');
    // Run again, it is for another token: who was invited is not written to a second time.
    const pool = createUserPool(deployment.userPoolId);
    const user = await pool.ensure(email, false);
    if (user.firstPassword) await pool.mailInvitation(email);
    return user.subject;
  }
  if (subject === undefined)
    throw new Error(
      `People sign in at ${deployment.issuer}. Pass this person's \`sub\` there with --subject.`,
    );
  return subject;
}

async function ensureMember(
  table: Table,
  organisation: string,
  id: string,
  subject: string,
  email: string,
): Promise<MemberRecord> {
  const known = await getMember(table, organisation, id);
  if (known) {
    if (known.role !== 'admin')
      throw new Error(
        `${email} is already a member of ${organisation}, as ${known.role}. An admin can change the role over the API.`,
      );
    return known;
  }
  const now = new Date().toISOString();
  return addMember(table, organisation, {
    id,
    subject,
    email,
    role: 'admin',
    createdAt: now,
    createdBy: 'slipway',
    updatedAt: now,
  });
}

/** Returns the token's text, which is stored nowhere. */
async function issueToken(
  table: Table,
  deployment: Deployment,
  organisation: string,
  admin: MemberRecord,
  days: number,
): Promise<string> {
  const secrets = new SecretsManagerClient({});
  const { SecretString: key } = await secrets.send(
    new GetSecretValueCommand({ SecretId: deployment.tokenKeySecretArn }),
  );
  if (!key) throw new Error(`The secret ${deployment.tokenKeySecretArn} has no value.`);
  const now = Date.now();
  const id = newId('token', now);
  const token = tokenText(organisation, id);
  await addToken(table, organisation, {
    id,
    title: 'First admin',
    memberId: admin.id,
    email: admin.email,
    role: 'admin',
    hash: tokenHash(key, token),
    createdAt: new Date(now).toISOString(),
    endsAt: new Date(now + days * 86_400_000).toISOString(),
  });
  return token;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  const days = Number(values.days);
  if (!Number.isInteger(days) || days < 1 || days > 3650)
    throw new Error(`--days must be a whole number from 1 to 3650, not '${values.days}'.`);
  const stage = readStage(values.stage);
  const organisation = values.organisation
    ? stage.organisations.find((one) => one.id === values.organisation)
    : stage.organisations[0];
  if (!organisation)
    throw new Error(
      `Stage ${stage.stage} has no organisation ${values.organisation}, only ${stage.organisations.map((one) => one.id).join(', ')}.`,
    );
  const email = values.email ?? organisation.adminEmail;

  const deployment = await readDeployment(stage.stage);
  const subject = await subjectOf(deployment, email, values.subject);
  const table = createTable(deployment.tableName);
  const admin = await ensureMember(
    table,
    organisation.id,
    memberIdOf(deployment.issuer, subject),
    subject,
    email,
  );
  console.log(`${admin.email} is an admin of ${organisation.id} (${organisation.title}).`);
  if (values['no-token']) return;
  console.log(`Token for ${days} days, shown only this once:`);
  console.log(await issueToken(table, deployment, organisation.id, admin, days));
}

try {
  await main();
} catch (error) {
  console.error(explainAwsError(error));
  process.exitCode = 1;
}
