"""The variables of the environment that are no settings of a review, each with what it is."""

from __future__ import annotations

# The bot's secrets: for its own processes, and never for one that reviews. Each may stand in a file instead.
_SECRETS = {
    "HUNKWISE_GITHUB_WEBHOOK_SECRET": "the secret that GitHub signs deliveries with",
    "HUNKWISE_GITHUB_APP_KEY": "the private key of the bot's GitHub App, in PEM form",
    "HUNKWISE_GITLAB_WEBHOOK_SECRET": "the secret token of GitLab's webhooks",
    "HUNKWISE_GITLAB_SIGNING_TOKEN": "the token that GitLab signs deliveries with (`whsec_…`)",
    "HUNKWISE_GITEA_WEBHOOK_SECRET": "the secret that Gitea or Forgejo signs deliveries with",
    "HUNKWISE_GITEA_TOKEN": "the token to post to Gitea or Forgejo with, instead of GITEA_TOKEN",
}
_TOKENS = ("HUNKWISE_GITHUB_TOKEN", "HUNKWISE_GITLAB_TOKEN")
_FILES = {f"{name}_FILE": f"the file that holds {name}" for name in (*_SECRETS, *_TOKENS)}
_OF_BOT = {
    "HUNKWISE_QUEUE": "where the bot keeps what is to be done: a file, or a Redis (`redis://…`)",
    "HUNKWISE_BOT_NAME": "the name that the bot is called by in comments (`@name`)",
    "HUNKWISE_GITHUB_URL": "where the bot's GitHub is, `https://github.com` by default",
    "HUNKWISE_GITHUB_APP_ID": "the number or client id of the bot's GitHub App",
    "HUNKWISE_GITLAB_URL": "where the bot's GitLab is, `https://gitlab.com` by default",
    "HUNKWISE_GITEA_URL": "where the bot's Gitea or Forgejo is",
    **_SECRETS,
    **_FILES,
}
FOR_BOT = frozenset(_OF_BOT)

# Variables of ours that are no setting of a review, with what they do.
OTHER_VARIABLES: dict[str, str] = {
    **_OF_BOT,
    "HUNKWISE_CONFIG": "the configuration file to read instead of the repository's",
    "HUNKWISE_MODELS": "the folder of the model store",
    "HUNKWISE_SOURCES": "where models are fetched from, in this order",
    "HUNKWISE_CACHE": "the folder of the response cache and of indexes",
    "HUNKWISE_CACHE_SECRET": "the secret by which machines share cached answers",
    "HUNKWISE_ENGINE_TOKEN": "the token that engines on other machines are asked with",
    "HUNKWISE_ENGINE_CA": "a file of certificates to believe such engines by",
    "HUNKWISE_REDIS_URL": "the Redis by which several machines share cached answers and count requests",
    "HUNKWISE_QDRANT_URL": "the Qdrant that keeps vectors of passages, by its address or as a folder",
    "HUNKWISE_QDRANT_TOKEN": "the token that this Qdrant is asked with",
    "HUNKWISE_GITHUB_TOKEN": "the token to post to GitHub with, instead of GITHUB_TOKEN",
    "HUNKWISE_GITLAB_TOKEN": "the token to post to GitLab with, instead of GITLAB_TOKEN",
    "HUNKWISE_SKIP": "1 makes the commit hook do nothing",
    "HUNKWISE_DEBUG": "1 prints the traceback of an unexpected error",
    "HUNKWISE_HOST": "address that `hunkwise serve` listens on, with or without a port",
    "HUNKWISE_HOSTS": "names under which clients may call the server, beside those of this machine",
    "HUNKWISE_ORIGINS": "web pages that may call the server, beside this machine's; `*` stands for anything",
    "HUNKWISE_TOKENS": "the file of the server's tokens; see `hunkwise token`",
    "HUNKWISE_KEEP_ALIVE": "how long an unused model stays in memory: seconds or `1h30m`; negative: for ever",
    "HUNKWISE_NUM_PARALLEL": "how many texts of a model are written side by side; 0: as many as memory allows",
    "HUNKWISE_MAX_QUEUE": "most requests that wait in the server; the next one is answered 503",
    "HUNKWISE_MAX_QUEUE_TOKENS": "most tokens, by estimate, of all requests that the server has taken in",
    "HUNKWISE_MAX_LOADED_MODELS": "most models in memory at once; 0: as many as fit",
    "HUNKWISE_CONTEXT_LENGTH": "tokens of context that the server loads a model with; 0: as memory allows",
    "HUNKWISE_KV_CACHE_TYPE": "numbers of the cache that the server loads a model with: f16, q8_0 or q4_0",
    "HUNKWISE_FLASH_ATTENTION": "1 or 0: whether the server's models use flash attention",
    "HUNKWISE_GPU_OVERHEAD": "bytes of each device's memory that the server leaves to others",
    "HUNKWISE_LOAD_TIMEOUT": "how long the server waits for a model to be loaded",
    "HUNKWISE_REQUEST_TIMEOUT": "how long one request may take in the server",
    "HUNKWISE_MAX_BODY": "most bytes of the body of a request",
    "HUNKWISE_RATE": "most requests of one token, such as `60/minute`",
    "HUNKWISE_ADDRESS_RATE": "most requests from one address, such as `600/minute`",
}
