"""Secrets leave, everything that explains an incident stays."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.security.checks import CHECKS
from app.security.redaction import redact
from app.security.rules import rule_book

SECRET = "Zx9kQv7LmP2r"

WITH_SECRET = [
    f"password={SECRET} user=app",
    f"connect(host=db, password={SECRET}, user=app)",
    f'{{"user":"app","password":"{SECRET}"}}',
    f'{{"user":"app","dbPassword" : "{SECRET}","host":"db"}}',
    f'{{"msg":"{{\\"password\\":\\"{SECRET}\\",\\"host\\":\\"db\\"}}"}}',
    f"  password: {SECRET}",
    f"- secretKey: '{SECRET}'",
    f"spring.datasource.password={SECRET}",
    f'level=info msg="login" token={SECRET} user=app',
    f'level=info msg="login" token="{SECRET} and {SECRET}" user=app',
    f"DB_PASSWORD={SECRET}",
    f"export API_TOKEN='{SECRET}'",
    f"AWS_SECRET_ACCESS_KEY={SECRET}",
    f"      POSTGRES_PASSWORD:  {SECRET}",
    f"starting with --password {SECRET} --user app",
    f"starting with --api-key={SECRET}",
    f'"args":["--auth-token","{SECRET}","--port","80"]',
    f"sshpass -p {SECRET} ssh app@db",
    f"mysql -u root -p{SECRET} shop",
    f"docker login -u app -p {SECRET} registry.local",
    f"curl -u app:{SECRET} https://api.local/health",
    f"postgres://app:{SECRET}@db.shop:5432/orders",
    f"redis://:{SECRET}@cache:6379/0",
    f"amqp://app:{SECRET}/x@mq:5672/",
    f"app:{SECRET}@tcp(db:3306)/orders?timeout=5s",
    f"jdbc:oracle:thin:app/{SECRET}@//db:1521/ORCL",
    f"Server=db;User Id=app;Password={SECRET};Encrypt=true",
    f"DefaultEndpointsProtocol=https;AccountKey={SECRET}==;EndpointSuffix=core",
    f"GET /blob?sv=2022&sig={SECRET}%3D&se=2024 HTTP/1.1",
    f"GET /callback?access_token={SECRET}&state=7 HTTP/1.1",
    f"Authorization: Bearer {SECRET}",
    f"'Authorization': 'Token {SECRET}'",
    f'"authorization":["Bearer {SECRET}"]',
    f"Authorization: Digest username=app, response={SECRET}",
    f"sent with bearer {SECRET}",
    f"Proxy-Authorization: Basic {SECRET}",
    f"x-api-key: {SECRET}",
    f"Cookie: theme=dark; sid={SECRET}",
    f"Set-Cookie: session={SECRET}; Path=/; HttpOnly",
    f'"set-cookie": "sid={SECRET}; Path=/"',
    f"the password is {SECRET}",
    f"rejected password '{SECRET}' of app",
    f"ALTER USER app IDENTIFIED BY '{SECRET}'",
    f"requirepass {SECRET}",
    f'{{"auths":{{"registry.local":{{"auth":"{SECRET}"}}}}}}',
    f"    client-key-data: {SECRET}",
    f'{{"name":"DB_PASSWORD","value":"{SECRET}"}}',
    f'{{"kind":"Secret","data":{{"any":"{SECRET}"}}}}',
    f"got token {SECRET}{SECRET}",
    f"secret: token: {SECRET}",
    f"password=first1,token: {SECRET}",
    f"error: token: invalid password: {SECRET}",
    f"https://hooks.slack.com/services/T0AAA/B0BBB/{SECRET}",
]


@pytest.mark.parametrize("line", WITH_SECRET)
def test_a_secret_leaves_the_line(line: str):
    redacted = redact(line)

    assert SECRET not in redacted.text
    assert "[REDACTED:" in redacted.text
    assert sum(count for _, count in redacted.counts) >= 1


@pytest.mark.parametrize("line", WITH_SECRET)
def test_a_redacted_line_stays_as_it_is(line: str):
    once = redact(line).text

    twice = redact(once)

    assert twice.text == once
    assert twice.counts == ()


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("jwt", "eyJhbGciOiJSUzI1NiJ9." + "eyJzdWIiOiJzeXN0ZW0ifQ." + "c2lnbmF0dXJlLWhlcmU"),
        ("aws-key", "AKIA" + "QWERTYUIOPASDFGH"),
        ("google-key", "AIza" + "Sy0123456789abcdefghijklmnopqrstuvw"),
        ("google-key", "ya29." + "a0AfB_abcdefghij"),
        ("github-token", "ghp_" + "abcdefghijklmnopqrstuvwxyz0123456789"),
        ("github-token", "github_pat_" + "11ABCDEFG0abcdefghijkl_mnop"),
        ("gitlab-token", "glpat-" + "abcdefghij0123456789"),
        ("slack-token", "xoxb-" + "123456789012-abcdefghij"),
        ("stripe-key", "sk_live_" + "abcdefghijklmnop1234"),
        ("stripe-key", "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("api-key", "sk-ant-" + "api03-abcdefghijklmnopqrstuv"),
        ("api-key", "hvs." + "CAESIJ0123456789abcdefghij"),
        ("api-key", "npm_" + "abcdefghijklmnopqrstuvwxyz0123456789"),
        ("bot-token", "bot" + "123456789:AAabcdefghijklmnopqrstuvwxyz0123456"),
        ("email", "jane.doe+test@example.com"),
        ("card", "4111 1111 1111 1111"),
        ("card", "5500-0055-5555-5559"),
        ("card", "378282246310005"),
        ("private-key", "LS0tLS1CRUdJTi" + "BSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlF"),
    ],
)
def test_a_token_is_known_by_its_form(kind: str, line: str):
    redacted = redact(f"at start {line} then more")

    assert redacted.text.removesuffix(" then more") == f"at start [REDACTED:{kind}:1]"
    assert redacted.counts == ((kind, 1),)


@pytest.mark.parametrize(
    "line",
    [
        'FATAL: password authentication failed for user "app"',
        'secret "db-credentials" not found',
        'MountVolume.SetUp failed for volume "creds" : secret "db-credentials" not found',
        "couldn't find key DB_URL in Secret shop/db-credentials",
        'secrets "db" is forbidden: User "system:serviceaccount:shop:api" cannot get resource',
        '"Failed to fetch" secret="shop/db-credentials"',
        "token expired",
        'pods is forbidden: User "sre@example.com" cannot list resource "pods"',
        'reflector.go:1] failed to list *v1.Secret: Get "https://10.0.0.1:443/api/v1/secrets": eof',
        "pull access denied, may require authorization: server message: insufficient_scope",
        "token: invalid",
        "error: token: expired at 10:00",
        "invalid api key: must not be empty",
        "unexpected token: } in JSON at position 4",
        "Access denied for user 'root'@'10.0.0.1' (using password: YES)",
        "      DB_PASSWORD:  <set to the key 'password' in secret 'db'>  Optional: false",
        "password:  12 bytes",
        "    TokenExpirationSeconds:  3607",
        "  secretName: db-credentials",
        "Tokens:              default-token-x8k2p",
        "open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory",
        "token_file=/var/run/secrets/token max_tokens=8192 token=17",
        "tls_key: /etc/tls/tls.key",
        'Www-Authenticate: Bearer realm="https://auth.local/token",service="registry"',
        "bearer authentication is not configured",
        "basic authentication failed",
        "PWD=/app",
        "password=${DB_PASSWORD} token=null secret=<none> password=***",
        'password="" next',
        "http://web:8080/path@v2 https://api.local/x",
        "image registry.local/web@sha256:" + "0123456789abcdef" * 4,
        "pod web-7d9f8b6c5d-x2x9k uid 3f2b8c1e-1111-4222-8333-944455556666",
        "block blk_38865049064139660 at 1700000000000000000",
        "unit getty@tty1.service clone git@git.local:shop/api.git ssh app@db.shop.example",
        "sa deployer@shop-prod.iam.gserviceaccount.com lacks storage.objects.get",
        "proxy_pass http://backend; # password rules apply",
        "-----BEGIN CERTIFICATE-----",
        "order 4111 1111 1111 1112 is no card",
        "host=db user=app port=5432 sslmode=require",
    ],
)
def test_what_explains_an_incident_stays(line: str):
    assert redact(line).text == line


def test_the_same_secret_gets_the_same_placeholder():
    redacted = redact("password=aaa1 x\ntoken=bbb2 y\npostgres://app:aaa1@db/x").text

    assert redacted == (
        "password=[REDACTED:password:1] x\n"
        "token=[REDACTED:password:2] y\n"
        "postgres://app:[REDACTED:password:1]@db/x"
    )


def test_new_placeholders_do_not_reuse_the_numbers_of_old_ones():
    redacted = redact("password=[REDACTED:password:3] password=fresh1")

    assert redacted.text == "password=[REDACTED:password:3] password=[REDACTED:password:4]"


def test_every_rule_names_a_known_check_and_is_reached_by_the_first_scan():
    book = rule_book()

    assert len(book.rules) > 25
    assert all(rule.keep is None or rule.keep in CHECKS for rule in book.rules)


@pytest.mark.parametrize(
    "unit",
    [
        "password=",
        "password=a,",
        'password="\\"',
        "a@",
        "://a:",
        "-----BEGIN PRIVATE KEY-----\n",
        "kind: Secret\ndata:\n",
        "\n- name: A_TOKEN\n  value: x",
        "token: |\n",
        "4111 ",
        "bearer ",
        "cookie: a=b; ",
    ],
)
def test_hostile_repetition_is_read_in_linear_time_and_keeps_its_lines(unit: str):
    text = unit * (400_000 // len(unit))

    redacted = redact(text).text

    assert redacted.count("\n") == text.count("\n")


_NOISE = st.text(
    alphabet=st.sampled_from("ab1 =:\"'\\{}[](),;@/-_.\n\t|<>$é\u2028\x00😀"), max_size=40
)
_FRAGMENT = st.sampled_from(
    ["password", "token: ", "Bearer ", "://u:", "@h", "Cookie: a=", "kind: Secret\n", "data:\n",
     "-----BEGIN PRIVATE KEY-----\n", "[REDACTED:token:1]", "--secret ", "Authorization: ",
     "a@example.com", "=", "\n  ", '"']
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(_NOISE, _FRAGMENT), max_size=12).map("".join))
def test_any_text_keeps_its_lines_and_is_redacted_once(text: str):
    once = redact(text)

    twice = redact(once.text)

    assert once.text.count("\n") == text.count("\n")
    assert twice.text == once.text


@settings(max_examples=200, deadline=None)
@given(
    before=st.text(alphabet="abc xyz:,\n", max_size=20),
    template=st.sampled_from([line for line in WITH_SECRET if "auth" not in line.lower()]),
    after=st.text(alphabet="abc xyz,\n", max_size=20),
    secret=st.text(alphabet="ABCDEFGHJKmnpqrstuvw23456789", min_size=12, max_size=24).filter(
        lambda s: s.upper() != s and s.lower() != s and any(c.isdigit() for c in s)
    ),
)
def test_a_planted_secret_never_survives(before: str, template: str, after: str, secret: str):
    text = f"{before}\n{template.replace(SECRET, secret)}\n{after}"

    assert secret not in redact(text).text
