/* Keys made by OpenSSL 3.0 for these tests alone:
 *   openssl ecparam -name CURVE -genkey; openssl pkcs8 -topk8 -nocrypt; openssl pkey -pubout
 *   openssl genpkey -algorithm ed25519; openssl genrsa 2048; openssl dgst -sha256 -sign */
#ifndef TESTS_UNIT_KEY_VECTORS_H
#define TESTS_UNIT_KEY_VECTORS_H

static const char p256_sec1[] = "-----BEGIN EC PARAMETERS-----\n"
                                "BggqhkjOPQMBBw==\n"
                                "-----END EC PARAMETERS-----\n"
                                "-----BEGIN EC PRIVATE KEY-----\n"
                                "MHcCAQEEIDwJ7Dwl/ks+WjM4KEkYJ38JLtsx8PZ66biOC4F0aa/soAoGCCqGSM49\n"
                                "AwEHoUQDQgAEkUqBoGHnaqFhbcN+vn1ejfsj3Eij6jjivbrKDNghlxP12S/pCtrW\n"
                                "T4vyN3UoY9fjx8QnhqcM/7HlqzmvwFMjVQ==\n"
                                "-----END EC PRIVATE KEY-----\n";
static const char p256_pkcs8[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgPAnsPCX+Sz5aMzgo\n"
    "SRgnfwku2zHw9nrpuI4LgXRpr+yhRANCAASRSoGgYedqoWFtw36+fV6N+yPcSKPq\n"
    "OOK9usoM2CGXE/XZL+kK2tZPi/I3dShj1+PHxCeGpwz/seWrOa/AUyNV\n"
    "-----END PRIVATE KEY-----\n";
static const char p256_public[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEkUqBoGHnaqFhbcN+vn1ejfsj3Eij\n"
    "6jjivbrKDNghlxP12S/pCtrWT4vyN3UoY9fjx8QnhqcM/7HlqzmvwFMjVQ==\n"
    "-----END PUBLIC KEY-----\n";
static const char p256_id[] = "715cbde2b819d755019f915e3047171e380d8b185c45dca325df61c78eb86d0a";
static const char p384_sec1[] = "-----BEGIN EC PARAMETERS-----\n"
                                "BgUrgQQAIg==\n"
                                "-----END EC PARAMETERS-----\n"
                                "-----BEGIN EC PRIVATE KEY-----\n"
                                "MIGkAgEBBDDyUoEPRcDeVyIDelIq2lghUe3eihXyZPinU1o7/8KS4r3G552dBQjV\n"
                                "t2UViHwzTOGgBwYFK4EEACKhZANiAATMzZr733YzAWBRgzCDqzgDQJVmnbIFJLxq\n"
                                "a2NyAo/rAFRZ8UROQyD7Exw5qsbWrovQ4bWeJvHotu/GYfg89CwAfFKDagVh0iJU\n"
                                "/iNmEohJ5PW7peqKuFnI+ZEE3WrtlS8=\n"
                                "-----END EC PRIVATE KEY-----\n";
static const char p384_pkcs8[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDDyUoEPRcDeVyIDelIq\n"
    "2lghUe3eihXyZPinU1o7/8KS4r3G552dBQjVt2UViHwzTOGhZANiAATMzZr733Yz\n"
    "AWBRgzCDqzgDQJVmnbIFJLxqa2NyAo/rAFRZ8UROQyD7Exw5qsbWrovQ4bWeJvHo\n"
    "tu/GYfg89CwAfFKDagVh0iJU/iNmEohJ5PW7peqKuFnI+ZEE3WrtlS8=\n"
    "-----END PRIVATE KEY-----\n";
static const char p384_public[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEzM2a+992MwFgUYMwg6s4A0CVZp2yBSS8\n"
    "amtjcgKP6wBUWfFETkMg+xMcOarG1q6L0OG1nibx6LbvxmH4PPQsAHxSg2oFYdIi\n"
    "VP4jZhKISeT1u6XqirhZyPmRBN1q7ZUv\n"
    "-----END PUBLIC KEY-----\n";
static const char p384_id[] = "c1a6bd80c9cdecd404768878fac6582bb048006a566c4cf7756825aadf813743";
static const char p521_sec1[] = "-----BEGIN EC PARAMETERS-----\n"
                                "BgUrgQQAIw==\n"
                                "-----END EC PARAMETERS-----\n"
                                "-----BEGIN EC PRIVATE KEY-----\n"
                                "MIHcAgEBBEIAO1moG6cSVs2WbS293CjrpnTM+40L4ZOFhdQpOBVkF63lWn5NeKq9\n"
                                "0gGI4q3+KOCnopdeXWURDNVl2eCpNHW7UqqgBwYFK4EEACOhgYkDgYYABAF1Le0D\n"
                                "wy9iWl/HtBmig/xDJx1hDHFHSeNrn8e0KbwLXySIZtQ9VKXFZCqFnSwCWtchXfmQ\n"
                                "rV9Uiu/oYiFUglZswAARcWIN0DDenFJx1m8gy8FuPPmxPJ6iIa5JgU6/u/8C+m2a\n"
                                "AQqNzAXvFr654B268K9jS7xW+GFSL7lHeCcBv+U/2Q==\n"
                                "-----END EC PRIVATE KEY-----\n";
static const char p521_pkcs8[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIHuAgEAMBAGByqGSM49AgEGBSuBBAAjBIHWMIHTAgEBBEIAO1moG6cSVs2WbS29\n"
    "3CjrpnTM+40L4ZOFhdQpOBVkF63lWn5NeKq90gGI4q3+KOCnopdeXWURDNVl2eCp\n"
    "NHW7UqqhgYkDgYYABAF1Le0Dwy9iWl/HtBmig/xDJx1hDHFHSeNrn8e0KbwLXySI\n"
    "ZtQ9VKXFZCqFnSwCWtchXfmQrV9Uiu/oYiFUglZswAARcWIN0DDenFJx1m8gy8Fu\n"
    "PPmxPJ6iIa5JgU6/u/8C+m2aAQqNzAXvFr654B268K9jS7xW+GFSL7lHeCcBv+U/\n"
    "2Q==\n"
    "-----END PRIVATE KEY-----\n";
static const char p521_public[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBdS3tA8MvYlpfx7QZooP8QycdYQxx\n"
    "R0nja5/HtCm8C18kiGbUPVSlxWQqhZ0sAlrXIV35kK1fVIrv6GIhVIJWbMAAEXFi\n"
    "DdAw3pxScdZvIMvBbjz5sTyeoiGuSYFOv7v/AvptmgEKjcwF7xa+ueAduvCvY0u8\n"
    "VvhhUi+5R3gnAb/lP9k=\n"
    "-----END PUBLIC KEY-----\n";
static const char p521_id[] = "3f41d8a954b8f8b5545a9bc0089a356c650ea8b5e3d4c0dc1034d8acc7b25636";
static const char ed25519_pkcs8[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIEphK5a8TBse0OCkS3usIFceUR8HUKPtL0lpsaI6jh+B\n"
    "-----END PRIVATE KEY-----\n";
static const char ed25519_public[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAXQ2QNV2LQ1+1ZP4nZwSL9HJ+CK3OadjFooP+0LorYfs=\n"
    "-----END PUBLIC KEY-----\n";
static const char ed25519_id[] = "d5d41fbe8a216cabbd5657ea3ecfd3f90ee0fe71ddfe4ea195714305264d5610";
static const char rsa_private[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQD2d0ErfmjB8qH3\n"
    "wkRrCOGQHr6gijzKQ7NrLh8c7jpJA+9g18sEWkfjGMIeonYt2QQ5cvdyIGaQqLM3\n"
    "AeWLNz7tP44Bc7O7QrgahrFekWle3/VibiiOIihgBUjRFr8hXdMF26BdUgYo0G4A\n"
    "G7GLkxM+d1CMYAo2oUus75RAgdNJ0obS3mPn/MAr+FuEQ6MgjPLBZek11w5RaFYP\n"
    "/3hz4SFoZYHQ27Gz76MUvGdCsysctU7Kg3o2BootzH4ItY+WbtFX72py3jx42bg9\n"
    "fWyjWtGOl6i2kC8nuEs5Dv4RZ82CrrAm8+KGHhlJ5PTwgM2aize9uPtLHxc0W3NB\n"
    "5cggPxfRAgMBAAECggEAGx9MgKjMhmtY/5bVSKIVkHKRr8EGp4uDtwvASMK+j0Jr\n"
    "mVCl+rikqI0U76IZNzpmiJvqNxjxsIGgFzGSPRu7RQh1bBt7b+QLtn+UDUAbRGGI\n"
    "82gD9oAzyT1LohbKubVFf6OHpj1ciClHsaNaim2I9JrUtl3rQc/GMCW9PswKoFjf\n"
    "TEEY45Wn20bHtoR3tGNzk/luV8Wx92Rd3UpV2YRgeSoyqUqoAr501+BnHwEdKPpC\n"
    "2XDDrBU1gkEn4W6ztYueyuqLPNcQVmKWUFdzfas0vCRPr5/oaF0VGEeP7tKElF46\n"
    "FXlg34woXz6VK7CL6lZyuDr+QVO7TRN53NYDoA+FMQKBgQD8skV34Eyg+Hluq9Vd\n"
    "KFVUiV4awUAu4Ci5ARfsp+hgjzxWHGeUzN7dWgW+4bMMX9JAoHD7lhBTqSMD0y4U\n"
    "5jSubYZU9jpXsE1/T39hxRflop3QnB6J3SI7kjD4MoPaohkE66iTUbh8rARkZFw3\n"
    "9qr/rrWQNNDQm2GEtKdsoczPNwKBgQD5sCF4tqp2WOLrPM7i+arFAFYZqkIwDTU0\n"
    "Nsua/pTd5o38lXQ1apk8NFnVsX95rSWnF+lr2klcKdax6uUmMrxTPiJwzjNB398d\n"
    "/YxRZTGn7xAAAOakAPwY1SGZvCiw5L6dnJLJa+BuonU1dDp23m6Xzcf66DtekIAl\n"
    "WNrzfKGFNwKBgHFiFCWLsRZxJxtvYpcgJ9l8oYrjt0bRMbSBNxjq5iudWXdR23A6\n"
    "1K0BXZ6eatZckFyLIObiGIVRWPK4aO7btDunzSSGLvt1kfBT3VYjN2vEIYee5Vz6\n"
    "qgeMuwhCskMBhLRegQ9JFbxq+rWJCo/Z0DRVUgZYjHFtpr4CyTTHDLzVAoGBAMPJ\n"
    "LWXXbjDgoAavJtbpyNMy4VC8pavCH47yzJKbv6WETJ/bnUTpcoC32B1tUjTZ5WVx\n"
    "pZHxl4aSNAxM0SQzsmJfnWfw+FZWMkD0+Ns2S0qQdW5bRn8hWowqS2+eEBYtN56l\n"
    "EKCqW1DFSL0Ch3mADx4vuPjwsuUCz8j5NK6qcojfAoGAM4Kie8eI0UCU6g91HsnR\n"
    "2x0roCM3TEm92tWgHh6Simz6zmM7H5Smqmc0pHROYD8XYu4QPb+PQ1PgREJlqonP\n"
    "a3HOpeeXGI2zQCmaZTITtG3ZL0T3woIwLb4YveygzITP/Zcbo8gNMUQqmWQ7fBl+\n"
    "c+/Kiypk/t8Y6UmeIU6f+70=\n"
    "-----END PRIVATE KEY-----\n";
static const char rsa_public[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA9ndBK35owfKh98JEawjh\n"
    "kB6+oIo8ykOzay4fHO46SQPvYNfLBFpH4xjCHqJ2LdkEOXL3ciBmkKizNwHlizc+\n"
    "7T+OAXOzu0K4GoaxXpFpXt/1Ym4ojiIoYAVI0Ra/IV3TBdugXVIGKNBuABuxi5MT\n"
    "PndQjGAKNqFLrO+UQIHTSdKG0t5j5/zAK/hbhEOjIIzywWXpNdcOUWhWD/94c+Eh\n"
    "aGWB0Nuxs++jFLxnQrMrHLVOyoN6NgaKLcx+CLWPlm7RV+9qct48eNm4PX1so1rR\n"
    "jpeotpAvJ7hLOQ7+EWfNgq6wJvPihh4ZSeT08IDNmos3vbj7Sx8XNFtzQeXIID8X\n"
    "0QIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
/* over "hello" */
static const char rsa_signature[] =
    "hGXs+fh7KwRXyKt3bDhEOVeaO8WrfNBYpxU0usyIVxk28T2sBzY2tWBgvtVDbDNhYllSXXlUj+gZaKL3jKNAfx0V"
    "lcCVuCoqnnDJozCRkY9xtiuq3GKHw9twUVQCcl9qHiHD+5pq3Zq7rwF89MRPyTZ0tKhEnLF3tCcm6XChBN8sCzDG"
    "b70hFe05pSxCAvGay2JZTK5xYjHoqmaiTDM5B+FqhGdiOM8OIP2S+OKMGR7A1ADQtya0aiWS78oprsctfyFAzC+S"
    "+KQM+9/0yP35Uqea9M2vI7zKFnW8qu01nSSjv61nx+qmEosdj73tBlTBJMCqpM3e4eDc+3ieqnRhUg==";
static const char p256_compressed[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgADkUqBoGHnaqFhbcN+vn1ejfsj3Eij\n"
    "6jjivbrKDNghlxM=\n"
    "-----END PUBLIC KEY-----\n";
static const char k256_public[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAE25cy2sAwgiQspDjJ41rXwP7OkgDdwVpv\n"
    "IRPSralZGC6t6bGj81DmgGoRIXMCXdDcWLYfRO+Jg/eQvpujUfoxUQ==\n"
    "-----END PUBLIC KEY-----\n";
static const char k256_sec1[] = "-----BEGIN EC PRIVATE KEY-----\n"
                                "MHQCAQEEIJmnYHKATp5GaqOs+04MjGdeRxMChhNxMaid5iEP2L9FoAcGBSuBBAAK\n"
                                "oUQDQgAE25cy2sAwgiQspDjJ41rXwP7OkgDdwVpvIRPSralZGC6t6bGj81DmgGoR\n"
                                "IXMCXdDcWLYfRO+Jg/eQvpujUfoxUQ==\n"
                                "-----END EC PRIVATE KEY-----\n";
static const char ed25519_sealed[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgUiSmQNH6gGAICCAAw\n"
    "DAYIKoZIhvcNAgsFADAdBglghkgBZQMEAQIEEGtm0SR/Zxceph277vHETuMEQBW4\n"
    "UmThtwM3vIqttyL4Vs5919OlUvmy3/76YyZ3sB4Ae0PcIjEUuYJgFq8rEWqhpSAV\n"
    "dUDme4B7muzr4+9LwhM=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";
static const char p256_scrypt[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIHkME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAgYxsm4rJLGeAICQAAC\n"
    "AQgCAQEwHQYJYIZIAWUDBAEqBBCnEcNkp1FcKmuLriagQTzpBIGQ8BfoL6iROP5s\n"
    "1MZLFpiR19SMEYwAXjXHB+YqpeeDIBfmzxReCV6Zp1E/Jbt7X4niBxj8qVAYtUqg\n"
    "rlu02lX8oQ6I6UognT5zcRN0tS05MJkGq3Eayh2pJEC6D1zCidS+KnRoIBbv8jCs\n"
    "0P3ikUCXfPYRgYDb4j2vx3mQO6omrV6fgVOvqEl68Z6hDiYjXipY\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";
static const char ed25519_slow[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGdMFkGCSqGSIb3DQEFDTBMMCsGCSqGSIb3DQEFDDAeBAjZqKcnIVEYsgIEAJiW\n"
    "gTAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQ1abbkoQ+QdPepZwtEwH8hgRA\n"
    "msbxyjHeHNSoBgZYyd7vPseuiG2xnIGlVKQ3DzYilTNvK/6MmLI3EU+zoI/QX82l\n"
    "zslj0zvC27sl+ZmdArKqHw==\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";
static const char p256_certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBcDCCARWgAwIBAgIULleqZ4lnLAY6si2v1anS2QV6l1owCgYIKoZIzj0EAwIw\n"
    "DDEKMAgGA1UEAwwBdDAgFw0yNjExMjgxMjA5MTJaGA8yMDUxMDcyMDEyMDkxMlow\n"
    "DDEKMAgGA1UEAwwBdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJFKgaBh52qh\n"
    "YW3Dfr59Xo37I9xIo+o44r26ygzYIZcT9dkv6Qra1k+L8jd1KGPX48fEJ4anDP+x\n"
    "5as5r8BTI1WjUzBRMB0GA1UdDgQWBBRyz5m+zjK8v84fI7umReLQ1O9alzAfBgNV\n"
    "HSMEGDAWgBRyz5m+zjK8v84fI7umReLQ1O9alzAPBgNVHRMBAf8EBTADAQH/MAoG\n"
    "CCqGSM49BAMCA0kAMEYCIQDEcxbo8wZbD/ztyH58Rcqa+vZbSMMB/1QKwooFQsyV\n"
    "PAIhAOULyC6YNXDrtmlBISbcnPGXWrpBu38Jls763cLpk0El\n"
    "-----END CERTIFICATE-----\n";
static const char p256_old_encryption[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "Proc-Type: 4,ENCRYPTED\n"
    "DEK-Info: AES-128-CBC,F4005DC2421A5B87ED9AF073D983838A\n"
    "\n"
    "A/5TNLglcu3iN7xSMNMquBW/EN78x13yRTRdjMV6yEFFMXsFjqS2cIWCvJuqXduP\n"
    "XeN+KJf6j0zwuhAs8ZY5X1IJ1SjcmTYW7Lklw+1hN1RgOscLIJ4UiHY9FLKIjqfc\n"
    "oD9YZwc0N7xbP6qRb/h5dQzrSHZKLjYlUas2h+x+QZo=\n"
    "-----END EC PRIVATE KEY-----\n";

#endif
