import { createPrivateKey, X509Certificate } from 'node:crypto';

/** Contents of the files of a TLS section; undefined where a file is not set. */
export interface TlsFiles {
  readonly ca_file?: string | undefined;
  readonly cert_file?: string | undefined;
  readonly key_file?: string | undefined;
}

export interface TlsFileProblem {
  readonly setting: keyof TlsFiles;
  readonly message: string;
  readonly remedy: string;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Why the files cannot be used. A connection would tell it too late, and Node ignores a file without certificates. */
export function tlsFileProblems({ ca_file, cert_file, key_file }: TlsFiles): readonly TlsFileProblem[] {
  const problems: TlsFileProblem[] = [];
  const certificatesOf = (setting: 'ca_file' | 'cert_file', pem: string | undefined): readonly X509Certificate[] => {
    if (pem === undefined) return [];
    try {
      const certificates = (pem.match(CERTIFICATE) ?? []).map((block) => new X509Certificate(block));
      if (certificates.length > 0) return certificates;
    } catch {
      // As good as none: the reason is OpenSSL's and helps nobody.
    }
    problems.push({
      setting,
      message: 'names a file without a certificate that can be read',
      remedy: 'Name a PEM file: it begins with -----BEGIN CERTIFICATE-----.',
    });
    return [];
  };
  certificatesOf('ca_file', ca_file);
  const [own] = certificatesOf('cert_file', cert_file);
  if (key_file === undefined) return problems;
  try {
    const key = createPrivateKey(key_file);
    if (own !== undefined && !own.checkPrivateKey(key)) {
      problems.push({
        setting: 'key_file',
        message: 'names the key of another certificate than cert_file',
        remedy: 'Name the key that the certificate was made with.',
      });
    }
  } catch {
    problems.push({
      setting: 'key_file',
      message: 'names a file without a private key that can be read',
      remedy: 'Name a PEM file with the private key, not encrypted: protect it by the permissions of the file.',
    });
  }
  return problems;
}
