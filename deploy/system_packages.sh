#!/bin/sh
# Install the system packages that are missing, saying each line before it is run.
#
#   sh deploy/system_packages.sh [--with-browser]
#
# Looks first: a machine that has everything is left alone, at no cost. Exit 3 when something is
# missing that we may not install; the exact commands are printed then.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/python.sh"

with_browser=no
for word in "$@"; do
    case $word in
        --with-browser) with_browser=yes ;;
        *) echo "用法 / usage: sh deploy/system_packages.sh [--with-browser]" >&2; exit 2 ;;
    esac
done

have_file() { # have_file PATTERN...: does any of them exist?
    for candidate in "$@"; do
        [ -e "$candidate" ] && return 0
    done
    return 1
}

have_postgis() {
    for server in /usr/lib/postgresql/*/bin/postgres; do
        [ -x "$server" ] || continue
        version=${server#/usr/lib/postgresql/}
        version=${version%%/*}
        [ -e "/usr/share/postgresql/$version/extension/postgis.control" ] &&
            [ -e "/usr/lib/postgresql/$version/lib/postgis-3.so" ] && return 0
    done
    [ -n "${TANHUI_PG_BINDIR:-}" ] && [ -x "$TANHUI_PG_BINDIR/pg_config" ] &&
        [ -e "$("$TANHUI_PG_BINDIR/pg_config" --sharedir)/extension/postgis.control" ]
}

need_postgis=no need_python=no packages=
have_postgis || need_postgis=yes
find_python || need_python=yes
have_file /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc \
    /usr/share/fonts/*/*/NotoSansCJK* /usr/share/fonts/*/NotoSansCJK* ||
    packages="$packages fonts-noto-cjk"
have_file /usr/lib/*/libgomp.so.1 /usr/lib/libgomp.so.1 /usr/lib64/libgomp.so.1 ||
    packages="$packages libgomp1"
if [ $with_browser = yes ] && [ -z "${TANHUI_CHROMIUM:-}" ]; then
    command -v chromium >/dev/null 2>&1 || packages="$packages chromium"
fi

if [ $need_postgis = no ] && [ $need_python = no ] && [ -z "$packages" ]; then
    exit 0
fi

# What is missing has to come from apt.
if ! command -v apt-get >/dev/null 2>&1; then
    [ $need_postgis = no ] || packages="$packages PostgreSQL+PostGIS"
    [ $need_python = no ] || packages="$packages Python>=3.11+venv"
    echo "本机没有 apt-get，请自行安装：$packages / no apt-get here; please install:$packages" >&2
    exit 3
fi

as_root=
may_install=yes
if [ "$(id -u)" != 0 ]; then
    as_root=sudo
    # Without a terminal sudo must not ask for a password.
    if ! command -v sudo >/dev/null 2>&1; then
        may_install=no
    elif [ ! -t 0 ] && ! sudo -n true 2>/dev/null; then
        may_install=no
    fi
fi

run() { # run LINE as root, shown as it could be typed
    echo "+ ${as_root:+$as_root }sh -c \"$1\""
    $as_root sh -c "$1" >/dev/null
}

update_lists() { # the lists have a lock of their own that no apt option waits for
    echo "+ ${as_root:+$as_root }apt-get update -qq"
    tries=0
    until message=$($as_root apt-get update -qq 2>&1); do
        tries=$((tries + 1))
        case $message in
            *"lists/lock"*) [ $tries -lt 100 ] || break; sleep 3 ;;
            *) break ;;
        esac
    done
    [ -z "$message" ] || printf '%s\n' "$message"
}

newest_postgis() { # the newest version that apt offers with PostGIS
    apt-cache search --names-only '^postgresql-[0-9]+-postgis-3$' |
        sed -n 's/^postgresql-\([0-9]*\)-postgis-3 .*/\1/p' | sort -n | tail -n 1
}

postgis_version() { # an installed server comes first: it needs the extension only
    offered=$(apt-cache search --names-only '^postgresql-[0-9]+-postgis-3$')
    for version in $(ls /usr/lib/postgresql 2>/dev/null | sort -rn); do
        [ -x "/usr/lib/postgresql/$version/bin/postgres" ] || continue
        case $offered in
            *"postgresql-$version-postgis-3 "*) echo "$version"; return ;;
        esac
    done
    newest_postgis
}

python_packages() { # the default interpreter, or the newest by name where that is too old
    default=$(apt-cache depends python3 2>/dev/null | sed -n 's/.*Depends: python3\.\([0-9]*\)$/\1/p' | head -n 1)
    if [ "${default:-0}" -ge 11 ]; then
        echo "python3 python3-venv"
        return
    fi
    minor=$(apt-cache search --names-only '^python3\.1[1-9]-venv$' |
        sed -n 's/^python3\.\([0-9]*\)-venv .*/\1/p' | sort -n | tail -n 1)
    [ -z "$minor" ] || echo "python3.$minor python3.$minor-venv"
}

if [ $may_install = yes ]; then
    echo "安装缺少的系统软件包 / installing the system packages that are missing"
    update_lists
fi

new_server=no
if [ $need_postgis = yes ]; then
    version=$(postgis_version)
    if [ -z "$version" ]; then
        if [ $may_install = no ]; then
            version=15 # the lists were never fetched here: name what Debian 12 has
        else
            echo "软件源中没有 PostGIS / apt offers no postgresql-*-postgis-3" >&2
            exit 3
        fi
    fi
    packages="$packages postgresql-$version-postgis-3"
    if [ ! -x "/usr/lib/postgresql/$version/bin/postgres" ]; then
        new_server=yes
        packages="$packages postgresql-$version"
    fi
fi
if [ $need_python = yes ]; then
    found=$(python_packages)
    if [ -z "$found" ] && [ $may_install = yes ]; then
        echo "软件源中没有 Python 3.11 或更新版本 / apt offers no Python 3.11 or newer" >&2
        exit 3
    fi
    packages="$packages ${found:-python3 python3-venv}"
fi

conf=/etc/postgresql-common/createcluster.conf
no_main="mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' >> $conf"
install="DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600"
install="$install -o Dpkg::Options::=--force-confold install -y -qq --no-install-recommends$packages"

if [ $may_install = no ]; then
    echo "缺少系统软件包，请以 root 运行 / system packages are missing; run as root:" >&2
    echo "  apt-get update" >&2
    [ $new_server = no ] || echo "  $no_main" >&2
    echo "  $install" >&2
    exit 3
fi

if [ $new_server = yes ] && ! grep -qs '^ *create_main_cluster *= *false' $conf; then
    # Debian would start a server of its own on port 5432; ours is private.
    run "$no_main"
fi
run "$install"
