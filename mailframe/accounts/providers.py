"""Mail providers as their own help pages describe them: one table, no I/O.

Each entry says where the provider's IMAP server is, what it takes as a user name, how it lets
people in, and on which page that is written. What changes at a provider is one line here. A domain
that is not here is looked for by ``mailframe.discovery``; a hoster is known by its MX hosts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Way = Literal["password", "app password", "oauth"]


@dataclass(frozen=True)
class Provider:
    """A provider's way in.

    Attributes
    ----------
    name : str
        What people call it.
    host : str
        Its IMAP server; empty where it has none.
    source : str
        The help page that says so.
    domains, mx : tuple of str
        Domains of its addresses, and what the names of MX hosts of its customers end in.
    ways : tuple of str
        How it lets people in, the best first: "password" is the one for the web page, "app
        password" one made for a program, "oauth" a log-in by `mailframe.login`.
    page : str
        Where an app password is made.
    note : str
        What must be known or switched on first.
    port, security, user : int, str, str
        Where and how to connect, and whether the user name is the "address" or its "local part".
    """

    name: str
    host: str
    source: str
    domains: tuple[str, ...] = ()
    mx: tuple[str, ...] = ()
    ways: tuple[Way, ...] = ("password",)
    page: str = ""
    note: str = ""
    port: int = 993
    security: Literal["tls", "starttls"] = "tls"
    user: Literal["address", "local part"] = "address"

    def way_in(self, address: str, login: str = "") -> str:
        """Say in half a sentence what lets `address` in; ``login`` names the place of a log-in."""
        page = f", from {self.page}" if self.page else ""
        said = {
            "app password": f"an app password{page}",
            "password": "the password of its web page",
            "oauth": login or f"a log-in: mailframe login {address}",
        }
        ways = [said[way] for way in self.ways]
        note = f" ({self.note})" if self.note else ""
        return f"{self.name} wants {', or '.join(ways)}{note}"


_APP: tuple[Way, ...] = ("app password",)

PROVIDERS = (
    Provider(
        "Gmail",
        "imap.gmail.com",
        "https://support.google.com/mail/answer/7126229",
        ("gmail.com", "googlemail.com"),
        ("google.com", "googlemail.com"),
        ("app password", "oauth"),
        "https://myaccount.google.com/apppasswords",
        "16 letters; two-step verification must be on",
    ),
    Provider(
        "Outlook.com",
        "outlook.office365.com",
        "https://support.microsoft.com/office/d088b986-291d-42b8-9564-9c414e2aa040",
        (
            "outlook.com",
            "hotmail.com",
            "live.com",
            "msn.com",
            "hotmail.co.uk",
            "hotmail.fr",
            "hotmail.de",
            "hotmail.it",
            "hotmail.es",
            "live.co.uk",
            "live.fr",
            "live.de",
            "live.nl",
            "live.it",
            "outlook.de",
            "outlook.fr",
            "outlook.es",
            "outlook.it",
            "outlook.jp",
            "outlook.com.br",
            "outlook.co.uk",
            "passport.com",
        ),
        ("olc.protection.outlook.com",),
        ("oauth",),
        note="it takes no passwords since 2024",
    ),
    Provider(
        "Microsoft 365",
        "outlook.office365.com",
        "https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth",
        mx=("mail.protection.outlook.com", "mx.microsoft"),
        ways=("oauth",),
        note="it takes no passwords; an administrator may have to allow IMAP",
    ),
    Provider(
        "Yahoo",
        "imap.mail.yahoo.com",
        "https://help.yahoo.com/kb/SLN4075.html",
        (
            "yahoo.com",
            "ymail.com",
            "rocketmail.com",
            "myyahoo.com",
            "yahoo.co.uk",
            "yahoo.de",
            "yahoo.fr",
            "yahoo.it",
            "yahoo.es",
            "yahoo.ca",
            "yahoo.in",
            "yahoo.co.in",
            "yahoo.com.br",
            "yahoo.com.au",
            "yahoo.com.mx",
            "yahoo.com.ar",
        ),
        ("yahoodns.net",),
        _APP,
        "https://login.yahoo.com/account/security",
    ),
    Provider(
        "AOL",
        "imap.aol.com",
        "https://help.aol.com/articles/how-do-i-use-other-email-applications-to-send-and-receive-my-aol-mail",
        ("aol.com", "aim.com", "aol.de", "aol.fr", "aol.it", "aol.co.uk"),
        ("mail.gm0.yahoodns.net",),
        _APP,
        "https://login.aol.com/account/security",
    ),
    Provider(
        "iCloud",
        "imap.mail.me.com",
        "https://support.apple.com/102525",
        ("icloud.com", "me.com", "mac.com"),
        ("mail.icloud.com",),
        _APP,
        "https://account.apple.com",
        user="local part",
    ),
    Provider(
        "Fastmail",
        "imap.fastmail.com",
        "https://www.fastmail.help/hc/articles/1500000278342",
        (
            "fastmail.com",
            "fastmail.fm",
            "fastmail.net",
            "fastmail.org",
            "sent.com",
            "messagingengine.com",
        ),
        ("messagingengine.com",),
        ("app password", "oauth"),
        "https://www.fastmail.help/hc/articles/360058752854",
    ),
    Provider(
        "Zoho",
        "imap.zoho.com",
        "https://www.zoho.com/mail/help/imap-access.html",
        ("zoho.com", "zohomail.com"),
        ways=("password", "app password"),
        page="https://accounts.zoho.com/home#security/app_password",
        note="IMAP must be switched on in its settings; with two-factor log-in an app password",
    ),
    Provider(
        "Zoho",
        "imappro.zoho.com",
        "https://www.zoho.com/mail/help/imap-access.html",
        mx=("zoho.com",),
        ways=("password", "app password"),
        page="https://accounts.zoho.com/home#security/app_password",
        note="IMAP must be switched on in its settings; with two-factor log-in an app password",
    ),
    Provider(
        "Zoho (Europe)",
        "imap.zoho.eu",
        "https://www.zoho.com/mail/help/imap-access.html",
        ("zoho.eu", "zohomail.eu"),
        ways=("password", "app password"),
        page="https://accounts.zoho.eu/home#security/app_password",
        note="IMAP must be switched on in its settings; with two-factor log-in an app password",
    ),
    Provider(
        "Zoho (Europe)",
        "imappro.zoho.eu",
        "https://www.zoho.com/mail/help/imap-access.html",
        mx=("zoho.eu",),
        ways=("password", "app password"),
        page="https://accounts.zoho.eu/home#security/app_password",
        note="IMAP must be switched on in its settings; with two-factor log-in an app password",
    ),
    Provider(
        "Zoho (India)",
        "imappro.zoho.in",
        "https://www.zoho.com/mail/help/imap-access.html",
        mx=("zoho.in",),
        ways=("password", "app password"),
        page="https://accounts.zoho.in/home#security/app_password",
        note="IMAP must be switched on in its settings; with two-factor log-in an app password",
    ),
    Provider(
        "GMX",
        "imap.gmx.net",
        "https://hilfe.gmx.net/pop-imap/imap/imap-serverdaten.html",
        ("gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.eu"),
        ways=("password", "app password"),
        note="IMAP must be switched on in its settings; with two-factor log-in an app password",
    ),
    Provider(
        "GMX",
        "imap.gmx.com",
        "https://support.gmx.com/pop-imap/imap/server.html",
        ("gmx.com", "gmx.us", "gmx.co.uk", "gmx.fr", "gmx.es", "gmx.it", "gmx.ca", "gmx.pt"),
        ways=("password", "app password"),
        note="IMAP must be switched on in its settings; with two-factor log-in an app password",
    ),
    Provider(
        "mail.com",
        "imap.mail.com",
        "https://support.mail.com/premium/imap/server.html",
        ("mail.com", "email.com", "usa.com"),
        note="IMAP is for its paying customers",
    ),
    Provider(
        "WEB.DE",
        "imap.web.de",
        "https://hilfe.web.de/pop-imap/imap/imap-serverdaten.html",
        ("web.de",),
        ways=("password", "app password"),
        note="IMAP must be switched on in its settings; with two-factor log-in an app password",
    ),
    Provider(
        "Mail.ru",
        "imap.mail.ru",
        "https://help.mail.ru/mail/mailer/popsmtp",
        ("mail.ru", "bk.ru", "inbox.ru", "list.ru", "internet.ru"),
        ("mail.ru",),
        _APP,
        "https://account.mail.ru/user/2-step-auth/passwords",
    ),
    Provider(
        "Yandex",
        "imap.yandex.com",
        "https://yandex.com/support/mail/mail-clients/others.html",
        ("yandex.ru", "yandex.com", "ya.ru", "yandex.by", "yandex.kz", "yandex.ua", "narod.ru"),
        ("yandex.net", "yandex.ru"),
        _APP,
        "https://id.yandex.com/security/app-passwords",
        "IMAP must be switched on in its settings",
    ),
    Provider(
        "Proton Mail Bridge",
        "127.0.0.1",
        "https://proton.me/support/imap-smtp-and-pop3-setup",
        ("proton.me", "protonmail.com", "protonmail.ch", "pm.me"),
        ("protonmail.ch",),
        _APP,
        note="shown by its Bridge, which must run on this machine; for its paying customers",
        port=1143,
        security="starttls",
    ),
    Provider(
        "Tuta",
        "",
        "https://tuta.com/support",
        ("tuta.com", "tutanota.com", "tutanota.de", "tutamail.com", "tuta.io", "keemail.me"),
        ("tutanota.de",),
        (),
        note="it has no IMAP; its own program exports mail as files, which mf.read_eml reads",
    ),
    Provider(
        "mailbox.org",
        "imap.mailbox.org",
        "https://kb.mailbox.org/en/private/e-mail/e-mail-configuration/",
        ("mailbox.org",),
        ("mailbox.org",),
        ("password", "app password"),
        note="with two-factor log-in an app password",
    ),
    Provider(
        "Posteo",
        "posteo.de",
        "https://posteo.de/en/help/how-do-i-set-up-posteo-in-an-email-client-pop3-imap-and-smtp",
        ("posteo.de", "posteo.net", "posteo.org", "posteo.eu", "posteo.at", "posteo.ch"),
    ),
    Provider(
        "T-Online",
        "secureimap.t-online.de",
        "https://www.telekom.de/hilfe/apps-dienste/e-mail/einstellungen/posteingang-postausgang-server",
        ("t-online.de", "magenta.de"),
        ways=_APP,
        page="https://www.telekom.de/hilfe/apps-dienste/e-mail/programme/passwort-verwalten",
        note="it is called Passwort für E-Mail-Programme",
    ),
    Provider(
        "freenet",
        "mx.freenet.de",
        "https://kundenservice.freenet.de/faq/e-mail-client-mail/einstellungen-serverdaten-fuer-alle-e-mail-programme/",
        ("freenet.de",),
        note="IMAP must be switched on in its settings",
    ),
    Provider(
        "Orange",
        "imap.orange.fr",
        "https://assistance.orange.fr/ordinateurs-peripheriques/installer-et-utiliser/l-utilisation-du-mail-et-services-associes/mail-orange/parametrer-la-boite-mail",
        ("orange.fr", "wanadoo.fr"),
        ways=("app password", "password"),
        note="other programs must be allowed in its settings",
    ),
    Provider(
        "Free",
        "imap.free.fr",
        "https://assistance.free.fr/articles/configurer-de-maniere-avancee-mon-logiciel-de-messagerie-609",
        ("free.fr",),
        user="local part",
    ),
    Provider(
        "SFR",
        "imap.sfr.fr",
        "https://assistance.sfr.fr/sfrmail-appli/sfrmail/parametres-mail.html",
        ("sfr.fr", "neuf.fr", "cegetel.net", "9online.fr", "club-internet.fr"),
    ),
    Provider(
        "La Poste",
        "imap.laposte.net",
        "https://aide.laposte.net/contents/comment-parametrer-un-logiciel-de-messagerie-pour-envoyer-et-recevoir-mes-courriers-electroniques",
        ("laposte.net",),
        note="IMAP must be switched on in its settings",
        user="local part",
    ),
    Provider(
        "Infomaniak",
        "mail.infomaniak.com",
        "https://www.infomaniak.com/en/support/faq/admin2/webmail",
        ("ik.me", "ikmail.com", "etik.com"),
        ("infomaniak.ch",),
        ("app password", "password"),
        "https://config.infomaniak.com",
    ),
    Provider(
        "Bluewin",
        "imaps.bluewin.ch",
        "https://www.swisscom.ch/de/privatkunden/hilfe/e-mail/einrichten/swisscom-server-information.html",
        ("bluewin.ch", "bluemail.ch"),
    ),
    Provider(
        "Hostinger",
        "imap.hostinger.com",
        "https://support.hostinger.com/en/articles/1575756",
        mx=("hostinger.com",),
    ),
    Provider(
        "IONOS",
        "imap.ionos.com",
        "https://www.ionos.com/help/email/general-topics/settings-for-your-email-programs-imap-pop3",
        mx=("ionos.com", "ionos.co.uk", "1and1.com"),
    ),
    Provider(
        "IONOS",
        "imap.ionos.de",
        "https://www.ionos.de/hilfe/e-mail/allgemeine-themen/serverinformationen-fuer-imap-pop3-und-smtp",
        mx=("kundenserver.de", "schlund.de", "ionos.de", "1and1.de"),
    ),
    Provider(
        "1&1",
        "imap.1und1.de",
        "https://hilfe-center.1und1.de/e-mail-c82645/1und1-e-mail-adresse-c84749/e-mail-kontoeinstellungen-fuer-eine-1und1-e-mail-adresse-a783411.html",
        ("online.de", "onlinehome.de", "sofortstart.de", "sofort-start.de", "go4more.de"),
    ),
    Provider(
        "STRATO",
        "imap.strato.de",
        "https://www.strato.de/faq/mail/externes-e-mail-programm-mit-strato-e-mail-adresse-nutzen/",
        mx=("rzone.de", "strato.de"),
    ),
    Provider(
        "OVHcloud",
        "ssl0.ovh.net",
        "https://help.ovhcloud.com/csm/en-mx-plan-email-general-configuration",
        mx=("mail.ovh.net",),
    ),
    Provider(
        "OVHcloud (America, Asia)",
        "imap.mail.ovh.ca",
        "https://help.ovhcloud.com/csm/en-mx-plan-email-general-configuration",
        mx=("mail.ovh.ca",),
    ),
    Provider(
        "Gandi",
        "mail.gandi.net",
        "https://docs.gandi.net/en/gandimail/standard_email_settings",
        mx=("gandi.net",),
    ),
    Provider(
        "Migadu",
        "imap.migadu.com",
        "https://www.migadu.com/guides/imap/",
        mx=("migadu.com",),
    ),
    Provider(
        "Purelymail",
        "imap.purelymail.com",
        "https://purelymail.com/docs/mailClients",
        ("purelymail.com",),
        ("purelymail.com",),
        ("password", "app password"),
    ),
    Provider(
        "Runbox",
        "mail.runbox.com",
        "https://help.runbox.com/imap/",
        ("runbox.com",),
        ("runbox.com",),
        ("password", "app password"),
    ),
    Provider(
        "Namecheap Private Email",
        "mail.privateemail.com",
        "https://www.namecheap.com/support/knowledgebase/article.aspx/1179",
        mx=("privateemail.com",),
    ),
    Provider(
        "Titan",
        "imap.titan.email",
        "https://support.titan.email/hc/en-us/articles/900000215446",
        mx=("titan.email",),
        note="third-party access must be switched on in its settings",
    ),
    Provider(
        "Rackspace",
        "secure.emailsrvr.com",
        "https://docs.rackspace.com/docs/set-up-rackspace-email",
        mx=("emailsrvr.com",),
    ),
    Provider(
        "QQ Mail",
        "imap.qq.com",
        "https://service.mail.qq.com/detail/0/75",
        ("qq.com", "foxmail.com"),
        ways=_APP,
        page="https://mail.qq.com",
        note="it is called authorization code; IMAP must be switched on in its settings",
    ),
    Provider(
        "163",
        "imap.163.com",
        "https://help.mail.163.com",
        ("163.com",),
        ways=_APP,
        page="https://mail.163.com",
        note="it is called authorization code; IMAP must be switched on in its settings",
    ),
    Provider(
        "126",
        "imap.126.com",
        "https://help.mail.163.com",
        ("126.com",),
        ways=_APP,
        page="https://mail.126.com",
        note="it is called authorization code; IMAP must be switched on in its settings",
    ),
    Provider(
        "Naver",
        "imap.naver.com",
        "https://help.naver.com/service/30029",
        ("naver.com",),
        ways=_APP,
        page="https://nid.naver.com",
        note="IMAP must be switched on in its settings, and two-step verification",
    ),
    Provider(
        "Seznam",
        "imap.seznam.cz",
        "https://o-seznam.cz/napoveda/email/mohlo-by-se-hodit/postovni-programy-a-aplikace/",
        ("seznam.cz", "email.cz", "post.cz", "spoluzaci.cz"),
        note="IMAP must be switched on in its settings",
    ),
    Provider(
        "WP",
        "imap.wp.pl",
        "https://pomoc.wp.pl/jak-skonfigurowac-program-pocztowy",
        ("wp.pl",),
        note="IMAP must be switched on in its settings",
    ),
    Provider(
        "o2",
        "poczta.o2.pl",
        "https://pomoc.o2.pl/jak-skonfigurowac-program-pocztowy",
        ("o2.pl", "go2.pl", "tlen.pl", "prokonto.pl"),
        note="access by other programs must be switched on in its settings",
        user="local part",
    ),
)

_DOMAINS = {domain: provider for provider in PROVIDERS for domain in provider.domains}
_HOSTS = {provider.host: provider for provider in reversed(PROVIDERS) if provider.host}


def of_domain(domain: str) -> Provider | None:
    """Give the provider whose addresses end in `domain` (lower case, ASCII)."""
    return _DOMAINS.get(domain)


def of_mx(hosts: tuple[str, ...]) -> Provider | None:
    """Give the provider that takes the mail, by the names of MX hosts, the best first."""
    for host in hosts:
        known = [(len(end), p) for p in PROVIDERS for end in p.mx if _within(host, end)]
        if known:
            return max(known, key=lambda found: found[0])[1]
    return None


def of_host(host: str, port: int = 993) -> Provider | None:
    """Give the provider whose IMAP server this is."""
    provider = _HOSTS.get(host)
    return provider if provider is not None and provider.port == port else None


def _within(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")
