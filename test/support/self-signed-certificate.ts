import { type Certificate, makeCertificate } from './certificate.ts';

export type SelfSignedCertificate = Certificate;

/** A certificate of its own authority, valid today, as PEM. */
export function selfSignedCertificate(commonName: string): SelfSignedCertificate {
  return makeCertificate({ commonName });
}
