/** The mail that invites a person: to what, by whom, and how to sign in. */
import type { Message } from '../../shared/aws/mail.ts';
import type { PoolUser } from '../../shared/aws/user-pool.ts';
import type { Role } from '../../shared/model/common.ts';
import { withoutControls } from '../../shared/text/controls.ts';
import { html } from '../../shared/text/html.ts';

export interface Invitation {
  email: string;
  role: Role;
  invitedBy: string;
  organisation: { id: string; title: string };
  apiUrl: string;
  /** Absent where people sign in at an issuer of the operator's own. */
  pool?: { user: PoolUser; clientId: string; region: string } | undefined;
  issuer: string;
}

export function invitationMail(invitation: Invitation): Message {
  const { email, role, invitedBy, organisation, apiUrl, pool } = invitation;
  const heading = `${invitedBy} invited you to ${organisation.title} on Slipway.`;
  const what = 'Slipway builds container images and launches experiments in them.';
  const facts: [name: string, value: string][] = [
    ['Organisation', `${organisation.title} (${organisation.id})`],
    ['Role', role],
    ['Address', apiUrl],
    ['Email', email],
    ...(pool?.user.firstPassword
      ? ([['First password', `${pool.user.firstPassword} (valid for 7 days)`]] as [string, string][])
      : []),
  ];
  const steps = nextSteps(invitation);
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  return {
    to: [email],
    subject: `[Slipway] ${invitedBy} invited you to ${organisation.title}`.slice(0, 150),
    text: withoutControls(
      [
        heading,
        what,
        '',
        ...facts.map(([name, value]) => `${`${name}:`.padEnd(width)}${value}`),
        '',
        ...steps.flatMap((step) => [step, '']),
      ].join('\n'),
    ),
    html: html`<!doctype html><html><body style="font-family:sans-serif"><h2>${heading}</h2><p>${what}</p><table>${facts.map(
      ([name, value]) =>
        html`<tr><td style="padding:2px 12px 2px 0">${name}</td><td><b>${value}</b></td></tr>`,
    )}</table>${steps.map((step) => html`<p style="white-space:pre-wrap">${step}</p>`)}</body></html>`.text,
  };
}

function nextSteps({ email, organisation, pool, issuer }: Invitation): string[] {
  const token = `Send the access token as "Authorization: Bearer <token>". If you belong to several organisations, add the header "Slipway-Organisation: ${organisation.id}". POST /v1/tokens makes a token for scripts.`;
  if (!pool) return [`Sign in at ${issuer}.`, token];
  if (pool.user.hasSignedIn) return ['Sign in with the password that you chose before.', token];
  return [
    `Sign in with the AWS CLI; it needs no AWS account:\n\naws cognito-idp initiate-auth --no-sign-request --region ${pool.region} --client-id ${pool.clientId} --auth-flow USER_PASSWORD_AUTH --auth-parameters 'USERNAME=${email},PASSWORD=<first password>'`,
    `The answer is the challenge NEW_PASSWORD_REQUIRED. Choose a password with its Session:\n\naws cognito-idp respond-to-auth-challenge --no-sign-request --region ${pool.region} --client-id ${pool.clientId} --challenge-name NEW_PASSWORD_REQUIRED --session '<Session>' --challenge-responses 'USERNAME=${email},NEW_PASSWORD=<your password>'`,
    token,
  ];
}
