"""The words of the verdict grammar, as patterns of regular expressions; case does not count.

Data: a word that models use and that is missing here is added here.
"""

NOUN = (
    r"response|summary|answer|option|assistant|candidate|completion|output|version|choice|reply"
    r"|passage|story|text|article|model|document|essay|translation|draft|system|number|no\.?"
    # German, Spanish, French, Portuguese, Italian, Dutch, Turkish, Polish, Swedish
    r"|antwort|zusammenfassung|variante|respuesta|resumen|opci[oó]n|r[eé]ponse|r[eé]sum[eé]"
    r"|resposta|resumo|op[cç][aã]o|risposta|riassunto|opzione|antwoord|samenvatting|yan\u0131t"
    r"|cevap|özet|odpowied[zź]|streszczenie|svar|sammanfattning"
    # Russian, Arabic, Hindi, Chinese, Japanese, Korean
    r"|ответ|вариант|резюме|الإجابة|الاجابة|الرد|الملخص|उत्तर|सारांश|प्रतिक्रिया"
    r"|回答|回复|答案|摘要|响应|选项|要約|応答|選択肢|응답|답변|요약|선택"
)
"""What a judge calls the two texts."""

PLACE = r"first|second|latter|former|last|1st|2nd"

VERDICT = (
    r"verdict|urteil|veredicto|veredito|verdetto|oordeel|karar|werdykt|вердикт|решение"
    r"|الحكم|निर्णय|फैसला|判定|判断|最终判断|最終判断|裁决|裁決|结论|結論|評決|판정|결론|평결"
)
"""What a line calls itself that counts wherever it stands."""

LABEL = (
    r"(?:answer|choice|decision|winner|preference|pick|selected|selection|judge?ment|conclusion"
    rf"|overall|result|(?:preferred|better|best)(?:\s+(?:one|{NOUN}))?"
    r"|antwort|respuesta|r[eé]ponse|resposta|risposta|回答|答案|答え|选择|정답)"
)
"""What the first or the last line calls itself."""

BEFORE_LABEL = r"(?:(?:so|my|the|final|overall|revised|own|in\s+my\s+(?:view|opinion))[\s,]+)*"

TIE = (
    r"(?:it(?:'s|\s+is)\s+)?(?:an?\s+)?(?:tied?|draw|toss[\s-]?up)(?:\s+between\s+a\s+and\s+b)?"
    r"|even|equal|equally\s+good|they\s+are\s+(?:both\s+)?(?:equal|equally\s+good|the\s+same)"
    rf"|both|both\s+the\s+same|(?:both|a\s+and\s+b)(?:\s+(?:{NOUN})s?|\s+summaries)?\s+are\s+"
    r"(?:equal|equally\s+good|equally\s+bad|good|bad|the\s+same)|both\s+equally(?:\s+good)?"
    rf"|neither(?:\s+(?:{NOUN}|one))?(?:\s+is\s+better)?|no\s+preference"
    r"|unentschieden|gleichstand|empate|égalité|pareggio|gelijkspel|berabere|remis|ничья"
    r"|平局|平手|引き分け|무승부|동점|تعادل|बराबर"
)

BETTER = (
    r"(?:(?:is|was|seems|appears|looks|reads)(?:\s+(?:clearly|slightly|much|the|a|overall|also|bit"
    r"|far|somewhat|definitely|significantly|marginally|simply|generally|by|more))*\s+"
    rf"(?:better|best|winner|preferred|preferable|stronger|superior)(?:\s+(?:one|{NOUN}))?"
    r"(?:\s+of\s+the\s+(?:two|pair)(?:\s+\w+)?)?|(?:clearly\s+)?wins"
    r"|(?:é|es|est|è|ist|är)\s+(?:(?:a|la|il|le|die|el|o)\s+)?"
    r"(?:melhor|mejor|meilleure?|migliore|besser|bättre)|更好|の方が良い|лучше)"
)
"""What is said of the response that is chosen, without a criterion."""

CHOOSES = (
    r"(?:I|we|readers|people|users)(?:'d|'ll|'m|\s+(?:would|will|am|therefore|also))*\s+"
    r"(?:say|prefer|choose|pick|select|favou?r|find|go(?:ing)?\s+with|opt(?:ing)?\s+for"
    r"|vot(?:e|ing)\s+for|lean(?:ing)?\s+towards?"
    r"|give\s+(?:it|this(?:\s+one)?|the\s+(?:win|edge|point)|my\s+vote)\s+to)\s"
    r"|(?:je\s+(?:préfère|choisis)|ich\s+(?:bevorzuge|wähle)|prefiero|elijo|preferisco|scelgo"
    r"|prefiro|escolho|ik\s+kies|предпочитаю|выбираю)\s+(?:(?:la|el|il|die|den|le|de|a|o)\s)?"
    r"|我选择?"
)

OPENING = (
    r"(?:(?:wait|no|actually|correction|so|thus|hence|therefore|overall|finally|conclusion"
    r"|of\s+the\s+two(?:\s+\w+)?|in\s+(?:conclusion|summary|short)|to\s+conclude|on\s+balance"
    r"|all\s+in\s+all|i\s+(?:think|believe|would\s+say))(?:\s+that)?\s*[,:]?\s+)"
)
"""What a line opens with that concludes."""

TURN = (
    r"no|nope|wait|actually|correction|but|however|rather|instead|or|hmm+|yet|still|nevertheless"
    r"|not\s+(?:really|sure|quite)|on\s+(?:reflection|second\s+thoughts?)|scratch\s+that"
    r"|looking\s+again|reconsider\w*|disagree|changed\s+my\s+mind|i\s+take\s+(?:that|it)\s+back"
    r"|unless|if"
)
"""After one of these a reason may take back what stands before it."""

CORRECTION = (
    r"wait|correct(?:ion|ed)|on\s+(?:reflection|second\s+thoughts?)|scratch\s+that|looking\s+again"
    r"|reconsider\w*|changed\s+my\s+mind|i\s+take\s+(?:that|it)\s+back|no|actually|rather|revised?"
    r"|mistake|sorry|mixed\s+(?:\w+\s+)?up"
)
"""Between two choices, one of these says that the later one replaces the earlier."""

CHOOSING = r"prefer|pick|choose|vote|choice|verdict|winner|(?:had|were)\s+(?:it|they)"
"""Below a choice, one of these says that the choosing goes on."""

KEY = (
    r"(?:final_?)?(?:verdict|answer|decision|choice|judge?ment|result)|winner|better|best|preferred"
    r"|preference|selected|(?:better|best|preferred|selected|chosen)_?(?:response|answer|summary|one)"
)
"""Keys of a JSON object that hold a choice."""
