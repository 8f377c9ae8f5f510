/** SES v2: SendEmail into the outbox and on to an SMTP server, GetAccount. */
import { randomBytes, randomUUID } from 'node:crypto';
import { callLimiter } from './call-limiter.ts';
import { AwsError, type Cloud, type RestAnswer, type RestCall, type Service } from './platform.ts';
import { RequestMembers } from './request-members.ts';
import { badRequest, identityFor } from './ses/addresses.ts';
import { listEmailIdentities, listIdentities } from './ses/identities.ts';
import { type Composed, compose } from './ses/message.ts';
import { createOutbox } from './ses/outbox.ts';
import { generatedName } from './template/names.ts';

export interface SesOptions {
  /** Hand-over; `SLIPWAY_SMTP_URL` unless given. */
  smtpUrl?: string;
  /** As a new account is: verified recipients only, 200 messages a day, one a second. `SLIPWAY_SES_SANDBOX=1` unless given. */
  sandbox?: boolean;
}

const maxRequestBytes = 60 * 1024 * 1024;
const dayMs = 86_400_000;

/** SES on `<home>/outbox`. Identities that a template declares count as verified. */
export function createSes(cloud: Cloud, options: SesOptions = {}): Service {
  const sandbox = options.sandbox ?? process.env.SLIPWAY_SES_SANDBOX === '1';
  const quota = sandbox ? { perDay: 200, perSecond: 1 } : { perDay: 50_000, perSecond: 14 };
  const outbox = createOutbox(cloud, options.smtpUrl ?? process.env.SLIPWAY_SMTP_URL);
  /** Each with the configuration set that it uses by itself, if any. */
  const identities = new Map<string, string | undefined>();
  const configurationSets = new Set<string>();
  const arn = (resource: string): string => `arn:aws:ses:${cloud.region}:${cloud.accountId}:${resource}`;
  const limitRate = callLimiter(
    quota.perSecond,
    () => cloud.steady().ms,
    () => new AwsError('TooManyRequestsException', 'Maximum sending rate exceeded.', 429),
  );

  function checkIdentities(message: Composed): void {
    const unverified = [message.from, ...(sandbox ? message.recipients : [])].filter(
      (address) => identityFor(address, identities) === undefined,
    );
    if (unverified.length > 0)
      throw new AwsError(
        'MessageRejected',
        `Email address is not verified. The following identities failed the check in region ${cloud.region.toUpperCase()}: ${unverified.join(', ')}`,
        400,
      );
  }

  function authorize(call: RestCall, message: Composed, configurationSet: string | undefined): void {
    const action = message.kind === 'raw' ? 'ses:SendRawEmail' : 'ses:SendEmail';
    const context = {
      'ses:ApiVersion': '2',
      'ses:FromAddress': message.from,
      'ses:Recipients': message.recipients,
    };
    call.authorize(action, arn(`identity/${identityFor(message.from, identities) ?? message.from}`), context);
    if (configurationSet) call.authorize(action, arn(`configuration-set/${configurationSet}`), context);
  }

  function checkTags(request: RequestMembers): void {
    const word = { max: 256, pattern: /^[A-Za-z0-9_-]+$/ };
    for (const tag of request.structures('EmailTags', 50)) {
      tag.string('Name', word);
      tag.string('Value', word);
    }
  }

  async function sendEmail(call: RestCall): Promise<object> {
    const request = new RequestMembers(readJson(await call.readBody(maxRequestBytes)), 'BadRequestException');
    checkTags(request);
    const sentAt = cloud.now();
    const messageId = `01${sentAt.getTime().toString(16).padStart(14, '0')}-${randomBytes(4).toString('hex')}-${randomUUID().slice(9)}-000000`;
    const message = await compose(request, { date: sentAt, messageId: `<${messageId}@email.amazonses.com>` });
    const identity = identityFor(message.from, identities);
    const configurationSet =
      request.optionalString('ConfigurationSetName') ?? (identity && identities.get(identity));
    authorize(call, message, configurationSet);
    if (configurationSet && !configurationSets.has(configurationSet))
      throw new AwsError('NotFoundException', `Configuration set <${configurationSet}> does not exist.`, 404);
    checkIdentities(message);
    limitRate();
    if (outbox.acceptedSince(sentAt.getTime() - dayMs) >= quota.perDay)
      throw new AwsError('LimitExceededException', 'Daily message quota exceeded.', 400);
    outbox.accept(messageId, message, sentAt);
    return { MessageId: messageId };
  }

  function getAccount(call: RestCall): object {
    call.authorize('ses:GetAccount', '*', { 'ses:ApiVersion': '2' });
    return {
      DedicatedIpAutoWarmupEnabled: false,
      EnforcementStatus: 'HEALTHY',
      ProductionAccessEnabled: !sandbox,
      SendQuota: {
        Max24HourSend: quota.perDay,
        MaxSendRate: quota.perSecond,
        SentLast24Hours: outbox.acceptedSince(cloud.now().getTime() - dayMs),
      },
      SendingEnabled: true,
    };
  }

  async function answer(call: RestCall): Promise<object> {
    if (call.method === 'POST' && call.path === '/v2/email/outbound-emails') return sendEmail(call);
    if (call.method === 'GET' && call.path === '/v2/email/account') return getAccount(call);
    if (call.method === 'GET' && call.path === '/v2/email/identities')
      return listEmailIdentities(call, [...identities.keys()]);
    throw new AwsError(
      'UnsupportedOperation',
      `The embedded cloud does not implement ses:${call.method} ${call.path}.`,
      400,
    );
  }

  return {
    signingName: 'ses',
    resourceTypes: {
      'AWS::SES::EmailIdentity': {
        physicalId: (declared) => declared.properties.EmailIdentity,
        attributes: ({ physicalId }) =>
          Object.fromEntries(
            [1, 2, 3].flatMap((n) => [
              [`DkimDNSTokenName${n}`, `token${n}._domainkey.${physicalId}`],
              [`DkimDNSTokenValue${n}`, `token${n}.dkim.amazonses.com`],
            ]),
          ),
      },
      'AWS::SES::ConfigurationSet': {
        physicalId: (declared) => declared.properties?.Name ?? generatedName(declared),
      },
    },
    async deploy(resources) {
      identities.clear();
      configurationSets.clear();
      for (const { type, physicalId, properties } of resources)
        if (type === 'AWS::SES::ConfigurationSet') configurationSets.add(physicalId);
        else {
          const identity = physicalId.replace(/@?[^@]+$/, (domain) => domain.toLowerCase());
          identities.set(identity, properties?.ConfigurationSetAttributes?.ConfigurationSetName);
        }
    },
    async start() {
      outbox.start();
    },
    async stop() {
      outbox.stop();
    },
    queryOperations: { ListIdentities: (call) => listIdentities(call, [...identities.keys()]) },
    async serve(call): Promise<RestAnswer> {
      return {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(await answer(call)),
      };
    },
  };
}

function readJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    // Whatever isn't JSON is told so, without its content.
    throw badRequest('Could not parse the request body as JSON.');
  }
}
