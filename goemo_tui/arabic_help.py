"""What the help page says in Arabic of the part that has the focus. Read only where the setting `language` is `ar`."""

from __future__ import annotations

ABOUT: dict[str, str] = {
    "#splits": "أقسام المجموعة. Enter يعرض قسمًا.",
    "#emotions": "التصنيفات وعدد مرات ورودها في الصفوف المعروضة. Enter يصفّي حسب واحد منها (✓)، ومرة أخرى يلغيه.",
    "#filter": (
        'كل الشروط معًا: كلمات، "عبارات"، label:joy، -label:neutral، tokens:>20، labels:>1، line:10..20، id:…، /regex/. '
        "الناقص أو not يعكس ما بعده، و or (أو |) يكفي معها طرف واحد، والأقواس تجمع. ↑ و ↓ يمرّان على التصفيات السابقة."
    ),
    "#prompt": "ما تكتبه يقرؤه النموذج فورًا.",
    "CommentTable": "تعليقات هذا القسم. Enter يعرض واحدًا منها كاملًا في الأسفل.",
    "CommentDetail": "التعليق كاملًا كما سيراه النموذج: تصنيفاته ورموزه وموضع القص؛ أو التعليقات الأشبه به.",
    "Figures": "رسم لهذا القسم. الأسهم تختار عمودًا أو خانة، و Enter يعرض صفوفها في الجدول.",
    "ContentTabs": "عروض التدريب المحدد: ← و → يمران عليها، و Enter أو ↓ يدخل إلى المعروض؛ و v ينتقل إلى التالي من أي مكان.",
    "RunList": (
        "تدريبات هذا الجهاز، الأحدث أولًا. الأسهم تختار ما يُعرض بجانبها. المسافة أو النقر على العلامة يثبّت تدريبًا: "
        "الرسوم تعرض المثبّت أيضًا و c يقارنه. + و - أو سحب الحافة يغيّر العرض."
    ),
    "Curve": "رسم بياني. المؤشر يقرأ قيمه، و z والعجلة يقرّبان، والسحب يختار جزءًا.",
    "ScoreTable": (
        "درجات أفضل دورة على dev، شعور في كل صف. o يرتّب حسب العمود التالي، و O يعكس الترتيب، و Enter على شعور يعرض "
        "التعليقات التي أخطأ فيها. 95% المجال الذي يقع فيه F1 في 95 من كل 100 سحب جديد للصفوف، و AP متوسط الدقة. "
        "وفي الأسفل: الشعور المحدد مع ECE، خطأ معايرته."
    ),
    "EvaluationPage": "أرقام أفضل دورة على dev. m ينتقل إلى ما بعدها.",
    "ReliabilityPlot": (
        "كم مرة يكون الشعور صحيحًا مقابل احتماله عند النموذج: ● كل المشاعر، ◆ الشعور المحدد. على القطر يعني الاحتمال ما "
        "يقول، وتحته يكون النموذج واثقًا أكثر مما ينبغي. ← و → شعور آخر."
    ),
    "RunConfig": "ما طُلب من التدريب، وممّا يتكوّن نموذجه. y ينسخ الأمر الذي يعيده.",
    "LogLines": "السجل. f يتابع نهايته أو يثبت، و / يبحث، و n و N يمرّان على ما وُجد.",
    "ModelLine": "النموذج الذي يجيب، والعتبة التي يُحسب الشعور ابتداءً منها. انقر على المنزلق أو اسحبه.",
    "BarsScroll": "● بلغ عتبته، · لم يبلغها. ومع نموذجين تقول ▲ ▼ كم نقطة يزيد B على A أو ينقص عنه. "
    "والشعور عند ▸ يُفسَّر في الأسفل: ↑ و ↓ أو النقر يختار غيره.",
    "HistoryList": "جمل احتفظت بها بـ Enter أو نسختها. Enter أو النقر يعيد واحدة؛ y ينسخها و x يمسحها كلها.",
    "BatchTable": "كل سطر أُلصق مع المشاعر التي بلغت عتبتها. انقر على رأس عمود لترتّب حسبه.",
    "MistakeList": "تعليقات dev، الأخطاء الأكثر ثقة أولًا: + قيل وليس كذلك، − هو كذلك ولم يُقل. Enter يفتح واحدًا في الفحص.",
    "SettingsScreen": (
        "كل إعداد وقيمته ومن ضبطه. يُكتب التغيير في settings.toml فورًا؛ وما تقوله متغيرات البيئة يغلب ما في الملف."
    ),
}
"""`#id` of a part, else its class -> what it is."""

KEYS: dict[str, str] = {
    "Choose": "اختر",
    "Open this line in Inspect; a double click does it too": "افتح هذا السطر في الفحص؛ والنقر المزدوج يفعل ذلك أيضًا",
    "Open a text file, one sentence a line": "افتح ملف نص، جملة في كل سطر",
    "Go on where it was interrupted": "تابع من حيث انقطع",
    "Sort by the next column; a click on its head does it too": "رتّب حسب العمود التالي؛ والنقر على رأسه يفعل ذلك أيضًا",
    "Turn the order round": "اعكس الترتيب",
    "Read all lines as one text, in Inspect": "اقرأ كل الأسطر نصًا واحدًا في الفحص",
    "Let these lines go, and begin with an empty table": "دع هذه الأسطر وابدأ بجدول فارغ",
    "Save as TSV, CSV or JSONL": "احفظ بصيغة TSV أو CSV أو JSONL",
    "Copy all lines as JSON": "انسخ كل الأسطر بصيغة JSON",
    "Go to the similar comment": "اذهب إلى التعليق الشبيه",
    "Show this comment in full": "اعرض هذا التعليق كاملًا",
    "Put the cursor away and leave the chart": "أبعد المؤشر وغادر الرسم",
    "The cursor one column to the left": "المؤشر عمودًا إلى اليسار",
    "The cursor one column to the right": "المؤشر عمودًا إلى اليمين",
    "Ten columns to the left": "عشرة أعمدة إلى اليسار",
    "Ten columns to the right": "عشرة أعمدة إلى اليمين",
    "Go on to what the field is about": "انتقل إلى ما يخصه الحقل",
    "Leave the field": "غادر الحقل",
    "A later filter, then on to the rows": "تصفية أحدث، ثم إلى الصفوف",
    "An earlier filter": "تصفية سابقة",
    "Show these rows in the table": "اعرض هذه الصفوف في الجدول",
    "Left": "إلى اليسار",
    "Right": "إلى اليمين",
    "Emotion before": "الشعور السابق",
    "Next emotion": "الشعور التالي",
    "Bring this sentence back": "أعد هذه الجملة",
    "The match before": "النتيجة السابقة",
    "The next match": "النتيجة التالية",
    "Close the search": "أغلق البحث",
    "Pick a model": "اختر نموذجًا",
    "Threshold down by .05": "العتبة أدنى بمقدار 0.05",
    "Threshold up by .05": "العتبة أعلى بمقدار 0.05",
    "An empty line: the sentence asked before": "في سطر فارغ: الجملة السابقة",
    "Close": "أغلق",
    "Yes": "نعم",
    "No": "لا",
    "Next value": "القيمة التالية",
    "Value before": "القيمة السابقة",
    "The folder above": "المجلد الأعلى",
    "Into the folder": "ادخل المجلد",
    "Hidden ones too": "المخفية أيضًا",
    "To the path": "إلى المسار",
    "Stop or go on": "أوقف أو تابع",
    "Go on": "تابع",
    "All settings": "كل الإعدادات",
    "Other base": "أساس آخر للمقارنة",
    "Kind": "النوع التالي",
    "Filter": "تصفية",
    "Copy": "نسخ",
}
"""What a part's own key does, in English -> in Arabic."""

LABELS: dict[str, str] = {
    "Next": "التالي",
    "Leave": "مغادرة",
    "Earlier": "أسبق",
    "Later": "أحدث",
    "Look": "انظر",
    "Sort": "ترتيب",
    "Open": "فتح",
    "New": "جديد",
    "Save": "حفظ",
    "Copy": "نسخ",
    "As one": "نص واحد",
    "Start": "ابدأ",
    "Time": "قدّر",
    "Reset one": "أرجع الحقل",
}
"""What the footer calls a part's own key, in English -> in Arabic."""
