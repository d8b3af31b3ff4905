"""The words of the verdict grammar, as patterns of regular expressions; case does not count.

Data: a word that models use and that is missing here is added here.
"""

NOUN = (
    r"response|summary|answer|option|assistant|candidate|completion|output|version|choice|reply"
    r"|passage|story|text|article|model|document|essay|translation|draft|system|comment|number|no\."
    # German, Spanish, French, Portuguese, Italian, Dutch, Turkish, Polish, Swedish
    r"|antwort|zusammenfassung|variante|respuesta|resumen|opci[oó]n|r[eé]ponse|r[eé]sum[eé]"
    r"|resposta|resumo|op[cç][aã]o|risposta|riassunto|opzione|antwoord|samenvatting|yan\u0131t"
    r"|cevap|özet|odpowied[zź]|streszczenie|svar|sammanfattning"
    # Russian, Arabic, Hindi, Chinese, Japanese, Korean
    r"|ответ|вариант|резюме|الإجابة|الاجابة|الرد|الملخص|उत्तर|सारांश|प्रतिक्रिया"
    r"|回答|回复|答案|摘要|响应|选项|要約|応答|選択肢|응답|답변|요약|선택"
)
"""What a judge calls the two texts."""

FIRST = r"first|former|1st"
SECOND = r"second|latter|last|2nd"

VERDICT = (
    r"verdict|urteil|veredicto|veredito|verdetto|oordeel|karar|werdykt|вердикт|решение"
    r"|الحكم|निर्णय|फैसला|判定|判断|最终判断|最終判断|裁决|裁決|结论|結論|評決|판정|결론|평결"
)
"""What a line calls itself that counts wherever it stands."""

LABEL = (
    r"(?:answer|choice|decision|winner|preference|pick|selected|selection|judge?ment|conclusion"
    rf"|overall|result|(?:preferred|better|best)(?:\s+(?:one|{NOUN}))?"
    r"|(?:bessere|beste)\s+antwort|antwort|respuesta|r[eé]ponse|resposta|risposta"
    r"|回答|答案|答え|选择|정답)"
)
"""What the first or the last line calls itself."""

OWN = (
    r"so|my|the|final|overall|own|in\s+my\s+(?:view|opinion)"
    r"|mi|mon|meine?|il\s+mio|die|der|la|el|il|het"
)
CORRECTING = (
    r"revised|updated|corrected|actually|edit|correction|sorry|on\s+second\s+thoughts?"
    r"|on\s+reflection|wait|no"
)
"""Before a label: that it replaces an earlier one."""

IS = r"is|es|est|ist|è|é|は"

TIE = (
    r"(?:it(?:'s|\s+is)\s+)?(?:an?\s+)?(?:tied?|draw|toss[\s-]?up)(?:\s+between\s+a\s+and\s+b)?"
    r"|even|equal|equally\s+good|they\s+are\s+(?:both\s+)?(?:equal|equally\s+good|the\s+same)"
    r"|both|(?:both\s+)?the\s+same|no\s+difference|no\s+preference"
    rf"|(?:both|a\s+and\s+b)(?:\s+(?:{NOUN})s?|\s+summaries)?\s+are\s+"
    r"(?:equal|equally\s+good|equally\s+bad|good|bad|the\s+same)|both\s+equally(?:\s+good)?"
    rf"|neither(?:\s+(?:{NOUN}|one))?(?:\s+is\s+better)?"
    r"|unentschieden|gleichstand|empate|égalité|pareggio|gelijkspel|berabere|remis|ничья"
    r"|平局|平手|引き分け|무승부|동점|تعادل|बराबर"
)
PLAIN_TIE = (
    r"(?:it(?:'s|\s+is)\s+)?(?:an?\s+)?(?:tied?|draw)|neither(?:\s+is\s+better)?"
    rf"|(?:they|both(?:\s+(?:{NOUN})s?|\s+summaries)?)\s+are\s+(?:both\s+)?(?:equal|equally\s+good)"
)
"""A tie that is one where no label stands before it."""

ADVERB = (
    r"clearly|slightly|much|the|a|overall|also|bit|far|somewhat|definitely|significantly"
    r"|marginally|simply|generally|by|more"
)
BETTER = (
    rf"(?:(?:is|was|seems|appears|looks|reads)(?:\s+(?:{ADVERB}))*\s+"
    rf"(?:better|best|winner|preferred|preferable|stronger|superior)(?:\s+(?:one|{NOUN}))?"
    r"(?:\s+of\s+the\s+(?:two|pair)(?:\s+\w+)?)?|(?:clearly\s+)?wins"
    r"|(?:is|gets)\s+my\s+(?:vote|choice|pick|preference)"
    r"|(?:é|es|est|è|ist|är)\s+(?:(?:a|la|il|le|die|el|o)\s+)?"
    r"(?:melhor|mejor|meilleure?|migliore|besser|bättre)|更好|の方が良い|лучше)"
)
"""What is said of the response that is chosen, without a criterion."""

CRITERION = (
    r"at|in|on|for|with|when|if|regarding|written|worded|organi[sz]ed|structured|supported|from|to"
)
"""After "better": it is so in one respect."""

BEATS = r"edges\s+out|beats|outperforms|surpasses"

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
    r"wait|no|actually|correction|so|thus|hence|therefore|overall|finally|conclusion"
    r"|of\s+the\s+two(?:\s+\w+)?|in\s+(?:conclusion|summary|short)|to\s+conclude|on\s+balance"
    r"|all\s+in\s+all|i\s+(?:think|believe|would\s+say)(?:\s+that)?"
    r"|after\s+(?:weighing|comparing|considering|reading|reviewing)\s+(?:both|the\s+two|everything)"
    r"|based\s+on\s+(?:the\s+criteria\s+above|all\s+of\s+this|this|the\s+above)"
    r"|between\s+(?:the|these)\s+two(?:\s+\w+)?|taking\s+everything\s+into\s+account"
)
"""What a line opens with that concludes."""

BECAUSE = r"because\b|since\b|as\s+(?:it|they|this|that|the)\b|due\s+to\b|given\b"

DOUBT = (
    r"no(?=\s*(?:$|[,.;:!?-]))|no\s+wait|nope|not|never|wait|actually|correction|but|however"
    r"|although|though|while|whereas|rather"
    r"|instead|or|hmm+|yet|still|nevertheless|maybe|perhaps|possibly|unsure|uncertain|depends?"
    r"|worse|weaker|reject\w*|fails?|scratch\s+that|reconsider\w*|disagree|unless|if|meant|mean"
    r"|should|would|could|first\s+sight|first\s+glance|think|prefer|pick|choose|sorry|mistake"
    r"|oops|edit|update"
)
"""In a reason: it may take back what stands before it."""

LEANS = r"edge|slight\w*|touch|lean\w*|prefer\w*|pick|choose|one|marginal\w*"
"""In the reason for a tie: it is none."""

CORRECTION = (
    r"wait|hold\s+on|correction|corrected|correct\s+(?:that|this|myself)|on\s+(?:reflection|second\s+thoughts?|closer\s+\w+)"
    r"|scratch\s+that|looking\s+again|reconsider\w*|chang(?:e|ed)\s+my\s+(?:mind|verdict|answer)"
    r"|take\s+(?:that|it)\s+back|no|actually|rather|revised?|mistake|sorry|oops|apologies"
    r"|mixed\s+(?:\w+\s+)?up|confused|meant|i\s+mean|edit|updated?|instead|err"
    r"|(?:that|this|it|i)\s+(?:is|was)\s+(?:wrong|incorrect)"
    r"|never\s*mind|ignore\s+that|after\s+all|nein|non|нет|不对|不是|更正|いや|違う|아니"
)
"""Between two choices, one of these says that the later one replaces the earlier; below one, that
it is taken back."""

REFUSAL = (
    r"(?:cannot|can't|can\s+not|unable\s+to|refuse\s+to)\s+(?:\w+\s+)?"
    r"(?:comply|decide|choose|judge|help)"
)

CHOOSING = (
    r"it(?:'s|\s+is)(?=\s+[AB]\b)|rank(?:ed|ing)?|prefer|pick|choose|vote|choice|verdict|winner|tie-?break(?:er)?|forced|had\s+to|my\s+answer"
    r"|should\s+(?:have\s+won|be\s+preferred|win)|(?:had|were)\s+(?:it|they)"
)
"""Below a choice, one of these says that the choosing goes on."""

QUOTING = (
    r"says?|said|quot\w+|reads?|contain(?:s|ed)?|ends?\s+with|begins?\s+with|claims?|states?|writes?|prints?"
    r"|like\s+this|format|not\s+write|example|for\s+instance|instruction|injected|injection|ignored?"
)
"""A line that introduces what somebody else wrote."""

WORSE = r"worse|weaker|weakest|worst|least|reject(?:ed)?|inferior|losers?|bad|poorer"
"""A heading above a letter that is not chosen."""

KEY = (
    r"(?:final_?|my_?|overall_?)?(?:verdict|answer|decision|choice|judge?ment|result|winner)|better"
    r"|best|preferred|preference|selected"
    r"|(?:better|best|preferred|selected|chosen)_?(?:response|answer|summary|one)"
)
"""Keys of a JSON object that hold a choice."""

CHEERFUL = "✅✔☑👉🏆🥇⭐👍➡🎯"
"""Signs that decorate a choice; any other sign may mean the opposite."""
