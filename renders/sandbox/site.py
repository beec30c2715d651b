"""A bundled Remotion site, uploaded to the sandbox's S3."""

import mimetypes
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BUCKET = "remotionlambda-useast1-sandbox000"


@dataclass(frozen=True)
class Site:
    """The folder of a bundle, and the name under which it is in the bucket."""

    name: str
    folder: Path

    @property
    def prefix(self) -> str:
        """What its keys begin with."""
        return f"sites/{self.name}/"

    @property
    def public_path(self) -> str:
        """The path of its URL, for which it must be bundled: S3's URLs here begin with the bucket."""
        return f"/{BUCKET}/{self.prefix}"

    def upload(self, s3: Any) -> None:
        """Upload the files, the page last, and delete what an earlier bundle has left."""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        page = self.folder / "index.html"
        with ThreadPoolExecutor(max_workers=4) as uploads:
            list(uploads.map(lambda path: self._upload(s3, path), (path for path in files if path != page)))
        self._upload(s3, page)
        self._delete_others(s3, {self._key(path) for path in files})

    def _upload(self, s3: Any, path: Path) -> None:
        headers = {
            "ContentType": mimetypes.guess_type(path.name)[0] or "application/octet-stream",
            "CacheControl": "no-cache",  # a browser that is still warm asks whether the site was bundled again
            "ACL": "public-read",
        }
        s3.upload_file(str(path), BUCKET, self._key(path), ExtraArgs=headers)

    def _delete_others(self, s3: Any, keys: set[str]) -> None:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=self.prefix)
        found = [item["Key"] for page in pages for item in page.get("Contents", [])]
        for key in set(found) - keys:
            s3.delete_object(Bucket=BUCKET, Key=key)

    def _key(self, path: Path) -> str:
        return self.prefix + path.relative_to(self.folder).as_posix()
