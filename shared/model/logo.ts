/** Logos of images (I3): names that have a picture, and what may be uploaded in their place. */

export const logoNames = [
  'docker',
  'python',
  'pytorch',
  'tensorflow',
  'keras',
  'sklearn',
  'r',
  'spark',
  'nvidia',
  'jupyter',
  'ubuntu',
  'debian',
] as const;
export type LogoName = (typeof logoNames)[number];

/** What `logo` says of an image whose logo was uploaded. */
export const uploadedLogo = 'uploaded';

/** Whether the logo is a picture of its own, which lies beside the image. */
export const isUploaded = (logo: LogoName | typeof uploadedLogo | undefined): logo is typeof uploadedLogo =>
  logo === uploadedLogo;

/** Media types of uploaded logos. */
export const logoTypes = ['image/png', 'image/svg+xml'] as const;
export type LogoType = (typeof logoTypes)[number];

/** How a picture is sent whose bytes are to say what it is. The document names this type: generators of clients know no others. */
export const anyBytes = 'application/octet-stream';

export const logoLimitBytes = 65_536;
