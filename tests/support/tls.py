"""A key and a certificate of `localhost` for tests: made for this file, trusted by nobody, used for nothing else."""

from __future__ import annotations

import ssl
from pathlib import Path

PEM = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgStv9sz5clCRd2dok
iUz+V1UjSMLKDzSMCpl92oi0HKChRANCAAQDjB+KZXZP+IYp+x/lFqn1WE61IWr6
ZUNfzVCTzL1pNM8SNp16tmE7stW34EzjCTrRGmA55HQnUt0fkNKov77r
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBcjCCARegAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjExOTEyMzEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAOMH4pldk/4hin7
H+UWqfVYTrUhavplQ1/NUJPMvWk0zxI2nXq2YTuy1bfgTOMJOtEaYDnkdCdS3R+Q
0qi/vuujWDBWMBQGA1UdEQQNMAuCCWxvY2FsaG9zdDAPBgNVHRMBAf8EBTADAQH/
MA4GA1UdDwEB/wQEAwIBhjAdBgNVHQ4EFgQU3bGmp2YspwItnya03I2xexMrvS0w
CgYIKoZIzj0EAwIDSQAwRgIhAO2BMyyiaB1LqZkE8BKyqPYnOB89hwoKiQS6Mf9Q
9nn4AiEA2U0dNCMwbfxeXnHslgM4D9xVLynZ+I5N+vgbpwa4bD0=
-----END CERTIFICATE-----
"""


def server_context(folder: Path) -> ssl.SSLContext:
    """For a server that shows the certificate; writes it to `folder`."""
    path = certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def certificate(folder: Path) -> Path:
    """The file with the key and the certificate."""
    path = folder / "localhost.pem"
    path.write_text(PEM)
    return path
