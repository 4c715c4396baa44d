# Verifies tokens with PyJWT as its documentation does with a key set. The first line of stdin says how;
# each line after it is a token. Writes `ok` or the error's name for each.
import json
import sys

import jwt

settings = json.loads(sys.stdin.readline())


class KeySet(jwt.PyJWKClient):
    def fetch_data(self):
        return settings["jwks"]


keys = KeySet("https://keys.example")
keys.jwk_set_cache.put(keys.fetch_data())

for line in sys.stdin:
    token = json.loads(line)
    try:
        jwt.decode(
            token,
            keys.get_signing_key_from_jwt(token),
            algorithms=settings["algorithms"],
            issuer=settings["issuer"],
            audience=settings["audiences"],
            leeway=settings["leeway"],
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
        print("ok")
    except Exception as error:  # a crash is a no, too: nobody is let in
        print(type(error).__name__)
