"""A certificate authority of a test's own, as an operator of stores has one."""

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Authority:
    """A private authority, and a certificate of its for 127.0.0.1 and localhost."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.file, self.certificate, self.key = (
            directory / "ca.crt",
            directory / "redis.crt",
            directory / "redis.key",
        )
        now = datetime.datetime.now(datetime.UTC)
        names = [
            x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in ("authority", "redis")
        ]
        keys = [ec.generate_private_key(ec.SECP256R1()) for _ in names]
        for number, file in enumerate((self.file, self.certificate)):
            made = (
                x509.CertificateBuilder(
                    names[0], names[number], keys[number].public_key(), x509.random_serial_number()
                )
                .not_valid_before(now - datetime.timedelta(hours=1))
                .not_valid_after(now + datetime.timedelta(hours=1))
                .add_extension(x509.BasicConstraints(ca=number == 0, path_length=None), critical=True)
                .add_extension(
                    x509.SubjectKeyIdentifier.from_public_key(keys[number].public_key()), critical=False
                )
                .add_extension(
                    x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key()), critical=False
                )
            )
            if number == 0:
                usage = x509.KeyUsage(
                    digital_signature=True,
                    key_cert_sign=True,
                    crl_sign=True,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    encipher_only=False,
                    decipher_only=False,
                )
                made = made.add_extension(usage, critical=True)
            else:
                addresses = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
                made = made.add_extension(x509.SubjectAlternativeName(addresses), critical=False)
            file.write_bytes(made.sign(keys[0], hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        self.key.write_bytes(
            keys[1].private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.file))

    def readable(self) -> None:
        """For a server that runs as another account."""
        self.file.parent.chmod(0o755)
        for file in (self.file, self.certificate, self.key):
            file.chmod(0o644)
