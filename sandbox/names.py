"""What people call themselves and write about themselves: many scripts, right to left, emoji, markup that is none."""

PEOPLE = (
    "Anna", "Иван", "محمد", "שרה", "李娜", "さくら", "민준", "प्रिया", "สมชาย", "Γιώργος", "გიორგი", "Արմեն",
    "José", "Zoë", "Łukasz", "Nguyễn", "Ọlá", "Åse", "İbrahim", "Олена", "فاطمة", "דוד", "王伟", "ゆうた",
    "<b>Bold</b>", "<script>", "Tom & Jerry", "*star*", "_under_", "`code`", "[link](x)", '"quoted"', "O'Neil",
    "😀 Smile", "🏴‍☠️", "👩‍👩‍👧", "⚓ Captain", "🇺🇦 Mykola", "ℌ𝔞𝔫𝔰", "Z̷̘a̸l̶g̴o̷", "\u202eesreveR", "a\u200bb\u200dc",
    "1234567", "A",
    "Maximiliane-Friederike-Wilhelmine-Charlotte-Auguste-Sophie-Marie", "Dr. Who", "null", "/start", "@nobody",
    "100% free", "-1", "Cash 💸 fast", "DROP TABLE", "{name}", "&lt;i&gt;",
)  # fmt: skip

SURNAMES = (
    "Berg", "Петров", "علي", "כהן", "张", "田中", "김", "शर्मा", "Παπαδόπουλος", "Smith", "García",
    "Müller-Lüdenscheidt", "O'Brien", "van der Meer", "Nowak", "Öztürk", "d’Arc", "</a>", "🚢", "Jr.", "李",
    "Коваленко", "Silva", "ნინოშვილი",
)  # fmt: skip

CROWD_NAME, CROWD_USERNAME = "Promo Girl {number}", "promo_girl_{number:04d}"
CROWD_BIO = "Earn {number} USD a day from home, ask me how"
"""What a crowd of one make calls itself and says: the same but for the number."""

BIOS = (
    "Deckhand, third year.",
    "Работаю в порту. Люблю чай.",
    "أحب البحر",
    "אוהב אוניות",
    "港口调度员",
    "Writes to <b>everyone</b> & answers nobody",
    "DM for crypto 💰💰💰 https://example.org/win",
    "☎️ +1 555 0100 199",
    "I was sent by Boris",
    "one\ntwo\nthree",
    "Ça va? L'été à la mer…",
    "x" * 70,
)
