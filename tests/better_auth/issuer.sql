-- What later versions add to it.
ALTER TABLE "account" ADD "issuer" text NOT NULL DEFAULT 'https://accounts.google.com';
ALTER TABLE "account" ALTER "issuer" DROP DEFAULT;
CREATE UNIQUE INDEX "account_issuer" ON "account" ("issuer", "accountId");
