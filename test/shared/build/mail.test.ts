/** B4: one mail for one build. */
import { MessageRejected } from '@aws-sdk/client-sesv2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBuildReconciler } from '../../../functions/reconciler/builds.ts';
import { closeBuild } from '../../../shared/build/close.ts';
import { endBuild } from '../../../shared/build/end.ts';
import { messageFor } from '../../../shared/build/mail-text.ts';
import type { BuildRecord } from '../../../shared/build/record.ts';
import { keptSettingsSchema } from '../../../shared/model/organisation.ts';
import { readEvents } from '../../../shared/store/advance.ts';
import { getSettings, settingsWrite } from '../../../shared/store/settings.ts';
import { ada, buildPlace, failed, organisation, type Place, succeeded } from './place.ts';

let place: Place;
beforeAll(async () => {
  place = await buildPlace({ build: { commands: ['echo "[slipway] end of log"'] } }, [100, 100]);
});
afterAll(() => place.close());

const mailsAbout = (id: string) => place.mails().filter((mail) => mail.includes(id));
const notifications = async (wanted: object) => {
  const { version } = await getSettings(place.table, organisation);
  const settings = keptSettingsSchema.parse({ notifications: wanted });
  await place.table.transact([settingsWrite(place.table, organisation, settings, version)]);
};
const refusing = (attempts: number) => {
  let left = attempts;
  return {
    async send(message: Parameters<Place['dependencies']['mail']['send']>[0]) {
      if (left-- > 0) throw new Error('the mail server is not in the mood');
      return place.dependencies.mail.send(message);
    },
  };
};

describe('B4 mail', () => {
  test('goes to the author and the recipients, each once, however often the end is heard of', async () => {
    await notifications({ recipients: ['team@acme.example', 'ADA@acme.example'] });
    const { buildId } = await place.build();
    await place.result(buildId, succeeded);
    await place.over(buildId);
    await Promise.all(Array.from({ length: 5 }, () => closeBuild(place.dependencies, organisation, buildId)));
    await place.deliver(buildId);
    const mails = mailsAbout(buildId);
    expect(mails).toHaveLength(1);
    const to = /^To: (.*)$/im.exec(mails[0] ?? '')?.[1] ?? '';
    expect(
      to
        .toLowerCase()
        .match(/[\w.]+@acme\.example/g)
        ?.sort(),
    ).toEqual([ada, 'team@acme.example']);
    expect(await place.get(buildId)).toMatchObject({ mail: 'sent' });
    expect((await place.codes(buildId)).slice(-2)).toEqual(['mail-claimed', 'mail-sent']);
    await notifications({});
  });

  test.each([
    [49, 49],
    // Older settings: one more than SES takes.
    [50, 49],
  ])('reaches as many as the settings take, besides the author: of %i, %i', async (kept, reached) => {
    const recipients = Array.from({ length: kept }, (_, i) => `reader-${i}@acme.example`);
    await notifications({ recipients });
    const { buildId } = await place.build();
    await place.result(buildId, failed);
    await place.over(buildId);
    const mails = mailsAbout(buildId);
    expect(mails).toHaveLength(1);
    const [head = ''] = mails[0]?.split('\r\n\r\n') ?? [];
    for (const address of [ada, ...recipients.slice(0, reached)]) expect(head).toContain(address);
    expect(await place.get(buildId)).toMatchObject({ mail: 'sent', mailAttempts: 1 });
    await notifications({});
  });

  test('follows the preference', async () => {
    const states: Record<string, string[]> = {};
    for (const preference of ['always', 'errors', 'never']) {
      await notifications({ preference });
      states[preference] = [];
      for (const result of [succeeded, failed]) {
        const { buildId } = await place.build();
        await place.result(buildId, result);
        await place.over(buildId);
        const { mail } = await place.get(buildId);
        expect(mailsAbout(buildId)).toHaveLength(mail === 'sent' ? 1 : 0);
        states[preference]?.push(mail);
      }
    }
    expect(states).toEqual({
      always: ['sent', 'sent'],
      errors: ['skipped', 'sent'],
      never: ['skipped', 'skipped'],
    });
    await notifications({});
  });

  test('that is refused is tried again, and given up after a while', async () => {
    const { buildId } = await place.build();
    await place.result(buildId, failed);
    await place.over(buildId, { mail: refusing(1) });
    expect(await place.codes(buildId)).toContain('mail-failed');
    await place.deliver(buildId);
    expect(await place.get(buildId)).toMatchObject({ mail: 'sent', mailAttempts: 2 });
    expect(mailsAbout(buildId)).toHaveLength(1);

    const hopeless = await place.build();
    await place.result(hopeless.buildId, failed);
    const mail = refusing(1000);
    await place.over(hopeless.buildId, { mail });
    for (let i = 0; i < 12; i++)
      await createBuildReconciler({ ...place.dependencies, mail })(organisation, hopeless.buildId);
    const record = await place.get(hopeless.buildId);
    expect(record).toMatchObject({ mail: 'failed', mailAttempts: 8 });
    expect(record).not.toHaveProperty('openKey');
  });

  test('reaches the author, whatever address of another is refused', async () => {
    const unverified = 'team@acme.example';
    await notifications({ recipients: [unverified] });
    // As SES's sandbox does.
    const mail = {
      async send(message: Parameters<Place['dependencies']['mail']['send']>[0]) {
        if (message.to.includes(unverified))
          throw new MessageRejected({
            message: `Email address is not verified: ${unverified}`,
            $metadata: {},
          });
        return place.dependencies.mail.send(message);
      },
    };
    const { buildId } = await place.build();
    await place.result(buildId, failed);
    await place.over(buildId, { mail });
    expect(await place.get(buildId)).toMatchObject({ mail: 'sent', mailAttempts: 1 });
    expect(mailsAbout(buildId)).toHaveLength(1);
    expect(mailsAbout(buildId)[0]).toMatch(/^To: .*ada@acme\.example/im);
    const [last] = (await readEvents(place.table, organisation, buildId, 0, 100)).slice(-1);
    expect(last).toMatchObject({
      code: 'mail-sent',
      message: `Sent an email to ${ada}. SES refused to send it to all recipients, so ${unverified} did not get it: Email address is not verified: ${unverified}`,
    });
    await notifications({});
  });

  test('whose sender died is not sent again, and the timeline says so', async () => {
    const { buildId } = await place.build();
    await endBuild(place.dependencies, organisation, buildId, {
      status: 'failed',
      failure: { ...failed.failure, code: 'step-failed' },
    });
    // Claimed, sent or not, and never heard of again.
    const dying = {
      send: () => new Promise<string>(() => undefined),
    };
    void closeBuild({ ...place.dependencies, mail: dying }, organisation, buildId);
    await expect.poll(async () => (await place.get(buildId)).mail).toBe('claimed');
    const reconcileAt = (seconds: number) =>
      createBuildReconciler({ ...place.dependencies, now: () => new Date(Date.now() + seconds * 1000) })(
        organisation,
        buildId,
      );
    await reconcileAt(60);
    expect((await place.get(buildId)).mail).toBe('claimed');
    await reconcileAt(700);
    expect((await place.get(buildId)).mail).toBe('unknown');
    expect((await place.codes(buildId)).at(-1)).toBe('mail-unconfirmed');
    expect(mailsAbout(buildId)).toHaveLength(0);
  });
});

describe('B4 what a mail says', () => {
  const pageLink = 'https://api.example/v1/builds/bld_1/page?organisation=acme&key=k';
  const record = {
    id: 'bld_1',
    kind: 'build',
    imageId: 'img_1',
    uri: 'r.example/acme/vision/trainer:1.0',
    compute: 'build-small',
    status: 'succeeded',
    digest: succeeded.digest,
    sizeBytes: 45_678_901,
    durationSeconds: 83.4,
  } as BuildRecord;

  test.each([
    ['r.example/acme/lab/base:1', 'acme/lab/base:1: built'],
    ['r.example/acme/team-b/base:1', 'acme/team-b/base:1: built'],
    ['r.example:5000/base:1', 'base:1: built'],
    [`r.example/acme/${'x'.repeat(200)}/base:1`, `…${'x'.repeat(103)}/base:1: built`],
  ])('its subject tells %s from others', (uri, subject) => {
    expect(messageFor({ ...record, uri }, [], pageLink).subject).toBe(`[Slipway] ${subject}`);
  });

  test('of a success: image, digest, size and duration', () => {
    const { subject, text, html } = messageFor(record, ['a line'], pageLink);
    expect(subject).toBe('[Slipway] acme/vision/trainer:1.0: built');
    for (const part of [record.uri, succeeded.digest, '45.7 MB', '1 min 23 s', pageLink]) {
      expect(text).toContain(part);
      expect(html).toContain(part.replaceAll('&', '&amp;'));
    }
    expect(text).not.toContain('Last lines');
  });

  test('B8 of a build that got the image of an identical one: whose, and how long that took', () => {
    const { durationSeconds: _, ...rest } = record;
    const times = { createdAt: '2026-11-21T09:00:00.000Z', finishedAt: '2026-11-21T09:00:02.500Z' };
    const { text } = messageFor({ ...rest, ...times, attachedTo: 'bld_0' }, [], pageLink);
    expect(text).toMatch(/^Duration: +2\.5 s$/m);
    expect(text).toMatch(/^Identical to: +bld_0$/m);
  });

  test('B13 of a build that was not to be pushed: that nothing was', () => {
    const { digest: _, sizeBytes: __, ...rest } = record;
    const { subject, text } = messageFor({ ...rest, push: false }, [], pageLink);
    expect(subject).toBe('[Slipway] acme/vision/trainer:1.0: built, not pushed');
    expect(text).toContain('did not push it');
    expect(text).not.toContain('ready');
  });

  test('of a failure: the step, its last lines, the likely cause and how to try again, with nothing of it as HTML', () => {
    const { text, html, subject } = messageFor(
      { ...record, status: 'failed', failure: { ...failed.failure, code: 'step-failed' } },
      ['\u001b[31moh <no>\u001b[0m', '<script>alert(1)</script>\u0007'],
      pageLink,
    );
    expect(subject).toBe('[Slipway] acme/vision/trainer:1.0: failed');
    for (const part of [
      '[2/2] RUN <b>',
      'Exit code:',
      'step-failed',
      'oh <no>',
      'Likely cause',
      'POST /v1/images/img_1/builds',
    ])
      expect(text).toContain(part);
    expect(html).toContain('[2/2] RUN &lt;b&gt;');
    expect(html).toContain('oh &lt;no&gt;\n&lt;script&gt;');
    expect(html).not.toContain('<script>');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
    expect(text + html).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
  });
});
